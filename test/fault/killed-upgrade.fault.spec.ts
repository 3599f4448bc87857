import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import { AgentHost } from '../support/agent-host.ts';
import { brokenAgent, buildAgent, copyAgent, removeAgent } from '../support/agent-builds.ts';
import { EmbeddedStack } from '../support/embedded-stack.ts';
import { addTask, runTask } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-killed-upgrade-'));
const tree = smallTree(join(room, 'tree'));
const [first, next, hanging] = ['0.1.83', '0.1.84', '0.1.85'];
let stack: EmbeddedStack;
let one: AgentHost;
let task: string;

beforeAll(async () => {
  stack = await EmbeddedStack.start(join(room, 'data'));
  const file = await buildAgent(first);
  await Promise.all([copyAgent(first, next), brokenAgent(hanging, 'exec sleep 120')]);
  one = await AgentHost.make({ stack, room }, 'one file', [file]);
  one.start();
  await one.until(({ presence }) => presence === 'online');
  task = await addTask(stack, 'one file', [tree], { node: one.node });
}, 300_000);
afterAll(async () => {
  await one?.end('SIGKILL');
  await stack?.stop();
  for (const version of [first, next, hanging]) removeAgent(version);
  rmSync(room, { recursive: true, force: true });
}, 120_000);

const order = (version: string) => stack.call('POST', `/api/v1/nodes/${one.node}:upgrade`, { version });

describe('an agent that is one file', () => {
  it('is killed in each step of an upgrade and ends with the new version all the same', async () => {
    await order(next);
    for (const stage of ['fetching', 'trying']) {
      await waitUntil(() => one.record().order?.stage === stage, 60_000);
      await one.end('SIGKILL');
      one.start();
    }
    await one.until(({ upgrade, presence, version }) => upgrade?.status === 'done' && presence === 'online' && version === next);
    expect(await runTask(stack, task)).toMatchObject({ status: 'succeeded' });
  });

  it('is killed in the middle of a trial and comes back as it was, from a version that hangs too', async () => {
    await order(hanging);
    await waitUntil(() => one.record().order?.stage === 'trying');
    await one.end('SIGKILL');
    // As a service manager would.
    one.start();
    await one.until(({ upgrade, presence, version }) => upgrade?.status === 'failed' && upgrade.version === hanging && presence === 'online' && version === next);
    expect((await one.now()).upgrade).toMatchObject({ code: 'upgrade-not-online' });
    expect(one.record().current).toMatchObject({ version: next });
    await one.end();
    await one.until(({ presence }) => presence !== 'online', 5_000);
  });
});
