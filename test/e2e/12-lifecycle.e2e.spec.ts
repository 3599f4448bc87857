import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import { AgentHost, agentProgram } from '../support/agent-host.ts';
import { brokenAgent, buildAgent, copyAgent, removeAgent } from '../support/agent-builds.ts';
import { cli, messagesOf } from '../support/cli.ts';
import { EmbeddedStack, root } from '../support/embedded-stack.ts';
import { addTask, runEnded, runTask } from '../support/runs.ts';
import { slowTree, smallTree, stirIslands } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-life-'));
const tree = smallTree(join(room, 'tree'));
const offClock = (ms: number): string[] => ['--import', `${pathToFileURL(join(root, 'test', 'support', 'clock-off.mjs')).href}?ms=${ms}`];
let stack: EmbeddedStack;

const hosts: AgentHost[] = [];
const host = async (name: string, words?: readonly [string, ...string[]]): Promise<AgentHost> => {
  const made = await AgentHost.make({ stack, room }, name, words);
  hosts.push(made);
  return made;
};
const waitingOf = (id: string) => async (): Promise<string | undefined> => (await stack.call<{ waitingCode?: string }>('GET', `/api/v1/runs/${id}`)).waitingCode;

beforeAll(async () => {
  stack = await EmbeddedStack.start(join(room, 'data'));
}, 120_000);
afterAll(async () => {
  for (const one of hosts) await one.end('SIGKILL');
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

describe('an operator', () => {
  it('renames, labels, drains and disables a node on the command line, and sees why its runs wait', async () => {
    const nodes = async (...words: string[]) => (await cli(stack, ['nodes', ...words])).code;
    const task = await addTask(stack, 'of this host', [tree]);
    expect(await nodes('rename', stack.node, 'here')).toBe(0);
    expect(await nodes('label', 'here', 'site=vienna', 'rack=2')).toBe(0);
    expect(await nodes('label', 'here', 'rack-')).toBe(0);
    expect(await nodes('slots', 'here', '3')).toBe(0);
    expect(await nodes('drain', 'here', '--reason', 'new disk')).toBe(0);
    expect(await stack.call('GET', `/api/v1/nodes/${stack.node}`)).toMatchObject({ name: 'here', labels: { site: 'vienna' }, slots: 3, drained: true, drainReason: 'new disk' });
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${task}:run`);
    await waitUntil(async () => (await waitingOf(id)()) === 'node-drained');
    expect(await nodes('resume', 'here')).toBe(0);
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded' });
    expect(await nodes('disable', 'here')).toBe(0);
    await expect(stack.call('POST', `/api/v1/tasks/${task}:run`)).rejects.toThrow(/node-disabled/);
    expect(await nodes('enable', 'here')).toBe(0);
    expect((await cli(stack, ['nodes', 'show', 'here'])).out).toMatch(/labels +site=vienna[\s\S]*disk +.* free of/);
    expect(await nodes('rm', 'here')).toBe(5);
    expect(await stack.call('POST', '/api/v1/nodes:upgrade', { nodes: [stack.node] })).toMatchObject({ items: [{ outcome: 'refused', code: 'upgraded-otherwise' }] });
  });
});

describe('a host whose clock is ten minutes off', () => {
  it.each([['ahead', 600_000], ['behind', -600_000]] as const)('%s works, and is an alarm', async (way, ms) => {
    const off = await host(`clock ${way}`, [process.execPath, ...offClock(ms), agentProgram]);
    off.start();
    await off.until(({ alarms }) => alarms.some(({ code }) => code === 'clock-skewed'));
    expect(Math.abs(((await off.now()).heartbeat?.skewMs ?? 0) - ms)).toBeLessThan(30_000);
    expect(await runTask(stack, await addTask(stack, `clock ${way}`, [tree], { node: off.node }))).toMatchObject({ status: 'succeeded' });
    expect((await off.now()).presence).toBe('online');
    await off.end();
  });
});

describe('a host that is installed anew', () => {
  it('is the same node with new keys; what its former agent held is lost at once, and the next backup goes into the same repository', async () => {
    const big = slowTree(join(room, 'big'), 1);
    const one = await host('reinstalled');
    one.start();
    const task = await addTask(stack, 'reinstalled', [big], { node: one.node, retries: { max: 0, delaySeconds: 60 } });
    expect(await runTask(stack, task)).toMatchObject({ status: 'succeeded' });
    stirIslands(big);
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${task}:run`);
    await waitUntil(async () => (await stack.call<{ status: string }>('GET', `/api/v1/runs/${id}`)).status === 'running');
    await one.end('SIGKILL');
    one.state = join(room, 'reinstalled anew');
    const { code, out } = await cli(stack, ['nodes', 'enrol', 'reinstalled', '--json']);
    const [link] = messagesOf(out);
    expect([code, link?.['node']]).toEqual([0, one.node]);
    await one.enrol(String(link?.['token']));
    one.start();
    // By what the new agent says when it first asks, not by any limit: of those the reason would speak.
    expect(await runEnded(stack, id)).toMatchObject({ status: 'lost', code: 'not-held', detail: expect.stringContaining('installed anew') as string });
    expect(await runTask(stack, task)).toMatchObject({ status: 'succeeded' });
    const { items } = await stack.call<{ items: { node: string }[] }>('GET', '/api/v1/repositories');
    expect(items.filter(({ node }) => node === one.node)).toHaveLength(1);
    await one.end();
  });
});

describe('an agent that is one file', () => {
  const [old, next, later, crashing] = ['0.0.93', '0.1.93', '0.1.94', '0.1.95'];
  let one: AgentHost;
  let task: string;

  beforeAll(async () => {
    const file = await buildAgent(old);
    await Promise.all([copyAgent(old, next), copyAgent(old, later), brokenAgent(crashing, 'exit 3')]);
    one = await host('one file', [file]);
    one.start();
  }, 180_000);
  afterAll(() => {
    for (const version of [old, next, later, crashing]) removeAgent(version);
  });
  const order = (version: string) => stack.call('POST', `/api/v1/nodes/${one.node}:upgrade`, { version });

  it('gets no work while its version is outside the window, is upgraded from the master, and works', async () => {
    await one.until(({ alarms }) => alarms.some(({ code }) => code === 'agent-too-old'));
    task = await addTask(stack, 'one file', [tree], { node: one.node });
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${task}:run`);
    await waitUntil(async () => (await waitingOf(id)()) === 'agent-too-old');
    const { pid } = one;
    expect((await cli(stack, ['nodes', 'upgrade', 'one file', '--version', next])).code).toBe(0);
    await one.until(({ upgrade, version }) => upgrade?.status === 'done' && version === next);
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded' });
    expect({ alarms: (await one.now()).alarms, pid: one.pid, running: one.isRunning }).toEqual({ alarms: [], pid, running: true });
  });

  it('goes back by itself from a version that crashes, and says why', async () => {
    await order(crashing);
    await one.until(({ upgrade }) => upgrade?.status === 'failed');
    expect((await one.now()).upgrade).toMatchObject({ version: crashing, code: 'upgrade-crashed' });
    await one.until(({ presence, version }) => presence === 'online' && version === next);
    expect(await runTask(stack, task)).toMatchObject({ status: 'succeeded' });
  });

  it('becomes another version in the middle of a backup, which is taken up again under the same claim', async () => {
    const big = slowTree(join(room, 'big of one file'), 1);
    const slow = await addTask(stack, 'slow on one file', [big], { node: one.node });
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${slow}:run`);
    // Of this agent: others on this machine have data planes too.
    const dataPlane = (): number => {
      const rows = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' }).split('\n').map((line) => /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? []);
      const parents = new Map(rows.map(([, pid, parent]) => [pid, parent]));
      const isOurs = (pid: string | undefined): boolean => pid !== undefined && (pid === String(one.pid) || isOurs(parents.get(pid)));
      return Number(rows.find(([, pid, , args]) => args?.includes('holdfast-agent data-plane') && isOurs(pid))?.[1] ?? 0);
    };
    const stopped = await waitUntil(dataPlane);
    // It stands still until it is to end, so that the backup is not over before the new version is here.
    process.kill(stopped, 'SIGSTOP');
    await order(later);
    await waitUntil(() => one.record().order?.stage === 'waiting');
    expect(await stack.call('GET', `/api/v1/runs/${id}`), 'nobody waits for it').toMatchObject({ status: 'running' });
    try {
      process.kill(stopped, 'SIGCONT');
    } catch {
      // On a busy host its agent has lost patience meanwhile and killed it: that ends it too.
    }
    await one.until(({ upgrade, version }) => upgrade?.status === 'done' && version === later);
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded', attempt: 1 });
  });
});
