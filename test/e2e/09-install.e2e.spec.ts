import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { waitUntil } from '#testing';
import { EmbeddedStack, root } from '../support/embedded-stack.ts';
import { addTask, runEnded, runTask } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-install-'));
const file = join(root, 'dist', 'agent', `holdfast-agent-linux-${process.arch === 'x64' ? 'amd64' : process.arch}`);

/** What the agent sees: nothing but a bin folder without Node, as on a host that has none. */
const bare = { PATH: '/usr/bin:/bin' };

describe('the agent as one file', () => {
  let stack: EmbeddedStack;
  let agent: ChildProcess | undefined;
  const tree = smallTree(join(room, 'tree'));

  beforeAll(async () => {
    execFileSync(join(root, 'node_modules', '.bin', 'node'), [join(root, 'scripts', 'build-agent.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
    stack = await EmbeddedStack.start(join(room, 'data'));
  }, 170_000);
  afterAll(async () => {
    if (agent?.exitCode === null) {
      agent.kill('SIGTERM');
      await once(agent, 'exit');
    }
    await stack?.stop();
    rmSync(room, { recursive: true, force: true });
  }, 60_000);

  const newNode = async (name: string): Promise<{ node: string; token: string }> => {
    const { id } = await stack.call<{ id: string }>('POST', '/api/v1/nodes', { name });
    return { node: id, ...(await stack.call<{ token: string }>('POST', '/api/v1/enrolment-links', { node: id })) };
  };
  const online = (node: string): Promise<boolean> =>
    waitUntil(async () => (await stack.call<{ presence: string }>('GET', `/api/v1/nodes/${node}`)).presence === 'online', 30_000);
  const backupAndRestore = async (node: string, copy: string): Promise<void> => {
    const run = await runTask(stack, await addTask(stack, `of ${node}`, [tree], { node }));
    expect(run).toMatchObject({ status: 'succeeded', faults: [] });
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/snapshots/${run.snapshot}:restore`, { node, destination: copy, mode: 'always' });
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded' });
    expect(await compareTrees(tree, join(copy, tree), { owners: true, top: false })).toMatchObject({ identical: true });
  };

  it('enrols, comes online, and starts itself as data plane and worker threads: a backup comes back identical', async () => {
    const { node, token } = await newNode('single');
    const state = join(room, 'state');
    mkdirSync(state);
    execFileSync(file, ['enrol', '--master', stack.announcement.url, '--state', state], { env: { ...bare, HOLDFAST_ENROL_TOKEN: token } });
    agent = spawn(file, [], { env: { ...bare, HOLDFAST_STATE_DIR: state }, stdio: 'ignore' });
    await online(node);
    await backupAndRestore(node, join(room, 'copy'));
  });
});
