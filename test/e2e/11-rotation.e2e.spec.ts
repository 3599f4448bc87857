import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAgeKey, newNkey, nkeyFromSeed } from '#identity';
import { waitUntil } from '#testing';
import { query } from '../support/archive.ts';
import { type CommandEnd, accessOf, cli as cliOf, messagesOf } from '../support/cli.ts';
import { EmbeddedStack, root } from '../support/embedded-stack.ts';
import { checkHistories, eventTypes } from '../support/history.ts';
import { type RunView, addTask, runEnded, runTask } from '../support/runs.ts';
import { SecondMaster } from '../support/second-master.ts';
import { BusSpeaker, type NodeAccess, accessIn } from '../support/thief.ts';
import { slowTree, smallTree } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-rotation-'));
let stack: EmbeddedStack;
let access: Record<string, string>;

interface Credential {
  readonly publicKey: string;
  readonly status: string;
  readonly rotation?: string;
  readonly replaces?: string;
  readonly graceUntil?: string;
}

const cli = (...args: string[]): Promise<CommandEnd> => cliOf(stack, args, access);
const credentials = async (node = stack.node): Promise<readonly Credential[]> =>
  (await stack.callPatiently<{ items: Credential[] }>('GET', `/api/v1/nodes/${node}/credentials`)).items;
const agentState = (): string => join(stack.data, 'agent');
const publicKeyOf = (held: NodeAccess): string => nkeyFromSeed('user', held.seed).publicKey;
const show = (id: string): Promise<RunView> => stack.callPatiently<RunView>('GET', `/api/v1/runs/${id}`);
const presenceOf = async (node: string): Promise<string> => (await stack.callPatiently<{ presence: string }>('GET', `/api/v1/nodes/${node}`)).presence;
/** Rotates, and resolves when the agent has connected with the new key. */
const rotate = async (graceSeconds: number): Promise<void> => {
  const { by, rotation } = await stack.call<{ by: string; rotation: string }>('POST', `/api/v1/nodes/${stack.node}/credential:rotate`, { graceSeconds });
  expect(by).toBe('agent');
  await waitUntil(async () => (await credentials()).every((one) => one.rotation !== rotation));
};
const isRefused = (held: NodeAccess) => expect(BusSpeaker.connect(held)).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });

beforeAll(async () => {
  slowTree(join(room, 'slow'), 6);
  stack = await EmbeddedStack.start(join(room, 'data'));
  access = await accessOf(stack);
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

describe('a running backup', () => {
  it('loses nothing by twenty rotations; each old key works before the end of its grace and is refused after it', async () => {
    const task = await addTask(stack, 'slow', [join(room, 'slow')]);
    const first = accessIn(agentState());
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${task}:run`);
    await waitUntil(async () => (await show(id)).progress?.phase === 'content', 60_000);
    for (let n = 0; n < 10; n++) await rotate(2);
    // Its data plane stands still for the rest of them, so that the backup is not over before they are.
    const planes = stack.dataPlanes();
    for (const pid of planes) process.kill(pid, 'SIGSTOP');
    expect(await show(id)).toMatchObject({ status: 'running' });
    for (let n = 0; n < 9; n++) await rotate(2);
    const last = accessIn(agentState());
    await rotate(8);
    expect(await show(id)).toMatchObject({ status: 'running' });
    const fresh = accessIn(agentState());
    const old = await BusSpeaker.connect(last);
    await old.connection.flush();
    for (const pid of planes) process.kill(pid, 'SIGCONT');

    const ended = await runEnded(stack, id);
    expect(ended).toMatchObject({ status: 'succeeded', faults: [] });
    expect((await eventTypes(stack, id)).filter((type) => type === 'RunStarted')).toHaveLength(1);
    const log = await stack.call<{ lines: { n: number }[]; dropped: number; more: boolean }>('GET', `/api/v1/runs/${id}/log`);
    expect([log.lines.map(({ n }) => n), log.dropped, log.more]).toEqual([log.lines.map((_, i) => i + 1), 0, false]);
    expect((await cli('verify', 'latest', '--level', '2', '--follow')).code).toBe(0);
    await checkHistories(stack);

    const known = await credentials();
    expect(known).toHaveLength(21);
    expect(known.map(({ publicKey }) => publicKey).slice(0, 2)).toEqual([publicKeyOf(fresh), publicKeyOf(last)]);
    known.forEach((one, i) => expect(one.replaces).toBe(known[i + 1]?.publicKey));
    await old.connection.closed();
    await isRefused(last);
    await isRefused(first);
    await waitUntil(async () => (await credentials()).map(({ status }) => status).join() === ['issued', ...Array<string>(20).fill('revoked')].join());
    await (await BusSpeaker.connect(fresh)).connection.close();
    const revoked = await query<{ count: string }>(stack, "select count(*) from archive.events where type = 'CredentialRevoked'");
    expect(Number(revoked[0]?.count)).toBe(20);
    expect(await query(stack, "select 1 from archive.events where type = 'NodeDisconnected'")).toEqual([]);
  });
});

describe('an agent that is killed in the middle of a rotation', () => {
  it('has its new key when it is back, whenever it was', async () => {
    for (const delay of [0, 20, 60]) {
      const before = publicKeyOf(accessIn(agentState()));
      await stack.call('POST', `/api/v1/nodes/${stack.node}/credential:rotate`, { graceSeconds: 1 });
      await new Promise((resolve) => setTimeout(resolve, delay));
      stack.kill('agent');
      await waitUntil(async () => (await credentials()).every(({ rotation }) => rotation === undefined) && publicKeyOf(accessIn(agentState())) !== before, 60_000);
      await waitUntil(async () => (await presenceOf(stack.node)) === 'online', 60_000);
    }
    expect(await runTask(stack, await addTask(stack, 'small', [smallTree(join(room, 'small'))]))).toMatchObject({ status: 'succeeded' });
  });
});

describe('who holds a node\'s key when it is revoked', () => {
  it('is cut off in under a second and stays out', async () => {
    const { id } = await stack.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'stolen' });
    const host = { hostname: 'stolen', platform: 'linux', arch: 'x64', agentVersion: '0' };
    const cut = async (): Promise<number> => {
      const { link } = await stack.call<{ link: { token: string } }>('POST', `/api/v1/nodes/${id}/credential:rotate`, {});
      const [key, age] = [newNkey('user'), await newAgeKey()];
      const answer = await stack.call<NodeAccess>('POST', '/api/v1/enrol', { token: link.token, publicKey: key.publicKey, recipient: age.recipient, host });
      const held = { ...answer, node: id, seed: key.seed };
      const thief = await BusSpeaker.connect(held);
      const began = performance.now();
      const after = thief.connection.closed().then(() => performance.now() - began);
      await stack.call('POST', `/api/v1/nodes/${id}/credential:revoke`, { reason: 'stolen' });
      await isRefused(held);
      return after;
    };
    // Somebody else may hold the processor for a second, but not each time.
    let fastest = Infinity;
    for (let tries = 0; tries < 5 && fastest >= 1_000; tries++) fastest = Math.min(fastest, await cut());
    expect(fastest).toBeLessThan(1_000);
    for (const one of messagesOf((await cli('nodes', 'credentials', 'stolen', '--json')).out)) expect(one).toMatchObject({ status: 'revoked', reason: 'stolen' });
  });
});

describe('the command line', () => {
  it('rotates a node by its agent, one that is away by a link, and says what is under way', async () => {
    const before = (await credentials()).length;
    const { code, out } = await cli('nodes', 'rotate', stack.node, '--grace', '5m', '--json');
    expect({ code, answer: messagesOf(out)[0] }).toMatchObject({ code: 0, answer: { by: 'agent', graceSeconds: 300 } });
    await waitUntil(async () => (await credentials()).length === before + 1 && (await credentials()).every(({ rotation }) => rotation === undefined));
    expect(messagesOf((await cli('nodes', 'rotate', 'stolen', '--json')).out)[0]).toMatchObject({ by: 'link', link: { command: expect.stringContaining('/install/') as string } });
    expect((await cli('nodes', 'rotate', stack.node, '--grace', 'soon')).code).toBe(2);
    stack.pause('agent');
    expect((await cli('nodes', 'rotate', stack.node)).code).toBe(0);
    const { code: second, words } = await cli('nodes', 'rotate', stack.node);
    stack.resume('agent');
    expect({ second, words }).toMatchObject({ second: 5, words: expect.stringContaining('[rotation-under-way]') as string });
    await waitUntil(async () => (await credentials()).every(({ rotation }) => rotation === undefined));
  });
});

describe('a host that was away for longer than its token lived', () => {
  let second: SecondMaster | undefined;
  let agent: ChildProcess | undefined;
  afterAll(async () => {
    agent?.kill('SIGKILL');
    await second?.end('SIGKILL');
  });

  it('comes back by itself, without the bus, with its own key', async () => {
    const { secret } = await stack.call<{ secret: string }>('POST', '/api/v1/api-keys', { name: 'away', role: 'admin' });
    // Two thirds of it are enough for a busy host to be online: from then on the first master would renew it, for much longer.
    second = await SecondMaster.start(stack, secret, { HOLDFAST_CREDENTIAL_LIFE: '24' });
    const { id } = await second.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'laptop' });
    const { token } = await second.call<{ token: string }>('POST', '/api/v1/enrolment-links', { node: id });
    const state = join(room, 'laptop');
    const program = join(root, 'dist', 'apps', 'agent', 'src', 'main.js');
    const run = (...args: string[]): ChildProcess => spawn(join(root, 'node_modules', '.bin', 'node'), [program, ...args], {
      stdio: 'ignore', env: { PATH: process.env['PATH'], HOLDFAST_STATE_DIR: state, HOLDFAST_ENROL_TOKEN: token },
    });
    const enrolled = run('enrol', '--master', second.url, '--state', state);
    expect(await new Promise((resolve) => enrolled.once('exit', resolve))).toBe(0);
    agent = run();
    await waitUntil(async () => (await presenceOf(id)) === 'online', 60_000);
    const { jwt, seed } = accessIn(state);
    agent.kill('SIGSTOP');
    await waitUntil(async () => (await credentials(id))[0]?.status === 'expired', 60_000);
    agent.kill('SIGCONT');
    await waitUntil(async () => (await credentials(id))[0]?.status === 'issued' && accessIn(state).jwt !== jwt, 60_000);
    await waitUntil(async () => (await presenceOf(id)) === 'online', 60_000);
    expect([accessIn(state).seed, await credentials(id)]).toEqual([seed, [expect.objectContaining({ publicKey: publicKeyOf(accessIn(state)) })]]);
  });
});
