import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { waitUntil } from '#testing';
import { EmbeddedStack, root } from '../support/embedded-stack.ts';
import { OtherHost } from '../support/other-host.ts';
import { runEnded, runTask, addTask } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';

const host = process.getuid?.() === 0 ? OtherHost.make() : undefined;
const room = mkdtempSync(join(tmpdir(), 'holdfast-hosts-'));
const agent = [process.execPath, join(root, 'dist', 'apps', 'agent', 'src', 'main.js')];

interface Node {
  readonly id: string;
  readonly presence: string;
}

describe.runIf(host)('another host, which reaches this one by its address and by nothing else', () => {
  const there = host as OtherHost;
  const tree = join(room, 'tree');
  const state = join(room, 'state');
  const env = { PATH: process.env['PATH'] };
  let stack: EmbeddedStack;
  let running: ChildProcess | undefined;
  let node: string;

  const nodeNow = (): Promise<Node> => stack.callPatiently<Node>('GET', `/api/v1/nodes/${node}`);
  const facts = (file: string): { readonly natsUrls: readonly [string] } => JSON.parse(readFileSync(file, 'utf8')) as { natsUrls: [string] };

  beforeAll(async () => {
    smallTree(tree);
    // A first start for this host alone: the second must not lose the local agent.
    const alone = await EmbeddedStack.start(join(room, 'data'));
    await alone.stop();
    stack = await EmbeddedStack.start(join(room, 'data'), ['--advertise', there.here]);
  }, 180_000);
  afterAll(async () => {
    running?.kill();
    await stack?.stop();
    there.remove();
    rmSync(room, { recursive: true, force: true });
  }, 60_000);

  it('enrols with a link and comes online, over TLS that it checks', async () => {
    ({ id: node } = await stack.call<Node>('POST', '/api/v1/nodes', { name: 'other-host' }));
    const { token } = await stack.call<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
    const { port } = new URL(stack.announcement.url);
    const [program, words] = there.command(...agent, 'enrol', '--master', `http://${there.here}:${port}`, '--state', state);
    const enrolled = spawnSync(program, words, { env: { ...env, HOLDFAST_ENROL_TOKEN: token }, encoding: 'utf8', timeout: 60_000 });
    expect({ code: enrolled.status, words: enrolled.status === 0 ? '' : enrolled.stderr }).toEqual({ code: 0, words: '' });
    expect(facts(join(state, 'node.json')).natsUrls[0]).toMatch(new RegExp(`^tls://${there.here.replaceAll('.', '\\.')}:\\d+$`));
    const [agentProgram, agentWords] = there.command(...agent);
    running = spawn(agentProgram, agentWords, { env: { ...env, HOLDFAST_STATE_DIR: state }, stdio: 'ignore' });
    await waitUntil(async () => (await nodeNow()).presence === 'online', 60_000);
  });

  it('has nothing that listens', () => {
    const [program, words] = there.command('cat', '/proc/net/tcp', '/proc/net/tcp6');
    const sockets = spawnSync(program, words, { encoding: 'utf8' }).stdout.split('\n').map((line) => line.trim().split(/\s+/)[3]);
    expect(sockets).toContain('01');
    expect(sockets).not.toContain('0A');
  });

  it('is backed up and gets its files back identical', async () => {
    const targets = await stack.call<{ items: { id: string }[] }>('GET', '/api/v1/targets');
    const task = await stack.call<{ id: string }>('POST', '/api/v1/tasks', { name: 'there', node, target: targets.items[0]?.id, source: { type: 'files', paths: [tree] } });
    const run = await runTask(stack, task.id);
    expect(run).toMatchObject({ status: 'succeeded' });
    mkdirSync(join(room, 'back'));
    const restore = await stack.call<{ id: string }>('POST', `/api/v1/snapshots/${run.snapshot}:restore`, { node, destination: join(room, 'back'), mode: 'always' });
    expect(await runEnded(stack, restore.id)).toMatchObject({ status: 'succeeded' });
    expect(await compareTrees(tree, join(room, 'back', tree))).toMatchObject({ identical: true });
  });

  it('leaves the agent of this host at work, which enrolled before', async () => {
    const task = await addTask(stack, 'here', [tree]);
    expect(await runTask(stack, task)).toMatchObject({ status: 'succeeded' });
  });

  it('is spoken to by nobody without a certificate of the authority', async () => {
    const [url] = facts(join(state, 'node.json')).natsUrls;
    await expect(connect({ servers: url, timeout: 5000, reconnect: false })).rejects.toThrow(/certificate|self.signed|unable to verify/i);
  });

  it('comes back when its link was away', async () => {
    const stopped = once(running as ChildProcess, 'exit');
    running?.kill();
    await stopped;
    await waitUntil(async () => (await nodeNow()).presence !== 'online', 90_000);
    const [program, words] = there.command(...agent);
    running = spawn(program, words, { env: { ...env, HOLDFAST_STATE_DIR: state }, stdio: 'ignore' });
    await waitUntil(async () => (await nodeNow()).presence === 'online', 60_000);
  });
});
