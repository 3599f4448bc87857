import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { waitUntil } from '#testing';
import { cli, messagesOf } from '../support/cli.ts';
import { parentRunEvents, runEvents } from '../support/archive.ts';
import type { EmbeddedStack } from '../support/embedded-stack.ts';
import type { FurtherAgent } from '../support/further-agent.ts';
import { checkHistories } from '../support/history.ts';
import { runEnded } from '../support/runs.ts';
import type { SecondMaster } from '../support/second-master.ts';
import { type ChildRun, SeveralAgents } from '../support/several-agents.ts';
import { smallTree } from '../support/tree.ts';

let fleet: SeveralAgents;
let stack: EmbeddedStack;
let second: SecondMaster;
let tree: string;
let agents: readonly FurtherAgent[] = [];

beforeAll(async () => {
  fleet = await SeveralAgents.start(['one', 'two', 'three']);
  ({ stack, second, agents } = fleet);
  tree = smallTree(join(fleet.room, 'tree'));
}, 170_000);
afterAll(() => fleet?.stop(), 60_000);

const children = (parent: string): Promise<readonly ChildRun[]> => fleet.children(parent);
const outcomes = async (parent: string): Promise<Record<string, string | undefined>> => {
  const names = new Map(agents.map(({ node, name }) => [node, name]));
  return Object.fromEntries((await children(parent)).map(({ node, status, code }) => [names.get(node) ?? node, code === undefined ? status : `${status} ${code}`]));
};
const start = async (task: string, through: EmbeddedStack | SecondMaster = stack): Promise<string> =>
  (await through.call<{ id: string }>('POST', `/api/v1/tasks/${task}:run`)).id;
const change = async (task: string, ...flags: string[]): Promise<void> => {
  const { code, words } = await cli(stack, ['tasks', 'edit', task, ...flags], fleet.access);
  expect({ code, words }).toEqual({ code: 0, words: '' });
};
const create = async (name: string, ...flags: string[]): Promise<string> => {
  const { code, out, words } = await cli(stack, ['--json', 'tasks', 'create', name, '--path', tree, '--selector', 'tier=db', ...flags], fleet.access);
  expect({ code, words }).toEqual({ code: 0, words: '' });
  return String(messagesOf(out)[0]?.['id']);
};

describe('a task for all nodes with a label', () => {
  let task: string;

  it('runs on each of them and nowhere else, into a repository of each; --follow tells of each and ends with 0', async () => {
    task = await create('everywhere', '--place', 'all', '--offline', 'skip');
    const { code, out } = await cli(stack, ['--json', 'run', 'everywhere', '--follow'], fleet.access);
    expect(code).toBe(0);
    const messages = messagesOf(out);
    const ended = messages.filter((message) => message.message_type === 'child' && message['status'] === 'succeeded');
    expect(ended.map((message) => message['name']).sort()).toEqual(['one', 'three', 'two']);
    expect(messages.at(-1)).toMatchObject({ message_type: 'run', status: 'succeeded', children: { total: 3, byStatus: { succeeded: 3 } } });
    const { items } = await stack.call<{ items: { node: string; snapshots: number }[] }>('GET', '/api/v1/repositories');
    expect(items.map(({ node, snapshots }) => [node, snapshots]).sort()).toEqual(agents.map(({ node }) => [node, 1]).sort());
    const copy = join(fleet.room, 'copy');
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/snapshots/${String(ended[0]?.['snapshot'])}:restore`, { destination: copy, mode: 'always' });
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded' });
    expect(await compareTrees(tree, join(copy, tree), { owners: true, top: false })).toMatchObject({ identical: true });
  });

  it('does with a node that is offline what the task says: skipped, failed, or waited for', async () => {
    const [away] = agents as [FurtherAgent];
    await away.away();
    const skipped = await start(task);
    expect(await runEnded(stack, skipped)).toMatchObject({ status: 'succeeded', code: 'children-skipped' });
    expect(await outcomes(skipped)).toEqual({ one: 'skipped node-offline', two: 'succeeded', three: 'succeeded' });

    await change(task, '--offline', 'fail');
    const { code, words } = await cli(stack, ['run', 'everywhere', '--follow'], fleet.access);
    expect({ code, words }).toEqual({ code: 3, words: expect.stringContaining('one: failed (The node could not begin the run (node-offline)') as string });

    await change('everywhere', '--offline', 'wait', '--wait', '10m');
    const waiting = await start(task, second);
    await waitUntil(async () => (await outcomes(waiting))['two'] === 'succeeded' && (await outcomes(waiting))['three'] === 'succeeded', 60_000);
    expect(await stack.call('GET', `/api/v1/runs/${waiting}`)).toMatchObject({ status: 'running', children: { byStatus: { queued: 1, succeeded: 2 } } });
    await away.up();
    expect(await runEnded(stack, waiting)).toMatchObject({ status: 'succeeded' });
    expect(await outcomes(waiting)).toEqual({ one: 'succeeded', two: 'succeeded', three: 'succeeded' });
  });

  it('does the same with a drained one; one that is out of service is always left out, and the run says so', async () => {
    const [, { node }] = agents as [FurtherAgent, FurtherAgent];
    await stack.call('POST', `/api/v1/nodes/${node}:drain`, { reason: 'maintenance' });
    const waiting = await start(task);
    await waitUntil(async () => (await outcomes(waiting))['one'] === 'succeeded' && (await outcomes(waiting))['three'] === 'succeeded', 60_000);
    const [waits] = (await children(waiting)).filter((child) => child.node === node);
    expect(waits).toMatchObject({ status: 'queued', waitingReason: expect.stringContaining('drained') as string });
    await stack.call('POST', `/api/v1/nodes/${node}:resume`);
    expect(await runEnded(stack, waiting)).toMatchObject({ status: 'succeeded' });

    await stack.call('POST', `/api/v1/nodes/${node}:drain`, { reason: 'maintenance' });
    await change(task, '--offline', 'skip');
    const skipped = await start(task);
    expect(await runEnded(stack, skipped)).toMatchObject({ status: 'succeeded', code: 'children-skipped' });
    expect(await outcomes(skipped)).toEqual({ one: 'succeeded', two: 'skipped node-drained', three: 'succeeded' });
    await stack.call('POST', `/api/v1/nodes/${node}:resume`);

    await stack.call('POST', `/api/v1/nodes/${node}:disable`, { reason: 'what becomes of it?' });
    await change(task, '--offline', 'wait');
    const without = await start(task);
    expect(await runEnded(stack, without)).toMatchObject({ status: 'succeeded', code: 'children-skipped' });
    expect(await outcomes(without)).toEqual({ one: 'succeeded', two: 'skipped node-disabled', three: 'succeeded' });
    await stack.call('POST', `/api/v1/nodes/${node}:enable`);
  });

  it('that a schedule starts each second makes one parent an instant, and one child a node of each, with two masters', async () => {
    const ticking = await create('ticking', '--place', 'all', '--schedule', '* * * * * *');
    const requested = async () => (await parentRunEvents(stack)).filter((event) => event.data['task'] === ticking);
    await waitUntil(async () => (await requested()).length >= 4, 30_000);
    await stack.call('DELETE', `/api/v1/tasks/${ticking}`);
    const parents = await requested();
    for (const { aggregate_id: id } of parents) expect((await runEnded(stack, id)).status).toMatch(/^(succeeded|skipped)$/);
    expect(new Set(parents.map((event) => event.data['scheduledFor'])).size).toBe(parents.length);
    const pairs = (await runEvents(stack)).filter(({ type, data }) => type === 'RunRequested' && data['task'] === ticking).map((event) => `${String(event.data['parent'])} ${String(event.data['node'])}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(pairs).toHaveLength(3 * parents.length);
  });
});

describe('a task for any node with a label', () => {
  it('runs on one of them, never on one that is drained, fails where there is none, and keeps no node from being removed', async () => {
    const task = await create('somewhere', '--place', 'any', '--offline', 'fail');
    const first = await start(task);
    expect(await runEnded(stack, first)).toMatchObject({ status: 'succeeded', children: { total: 1, byStatus: { succeeded: 1 } } });
    const [{ node: usual }] = (await children(first)) as [ChildRun];
    expect(agents.map(({ node }) => node)).toContain(usual);
    await stack.call('POST', `/api/v1/nodes/${usual}:drain`, {});
    const next = await start(task, second);
    expect(await runEnded(stack, next)).toMatchObject({ status: 'succeeded' });
    expect((await children(next)).map(({ node }) => node)).not.toContain(usual);
    const { id: spare } = await stack.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'spare', labels: { tier: 'db' } });
    await stack.call('DELETE', `/api/v1/nodes/${spare}`);
    for (const { node } of agents) if (node !== usual) await stack.call('POST', `/api/v1/nodes/${node}:drain`, {});
    expect(await runEnded(stack, await start(task))).toMatchObject({ status: 'failed', code: 'no-node-may-work' });
    for (const { node } of agents) await stack.call('POST', `/api/v1/nodes/${node}:resume`);
    const none = await create('nowhere', '--place', 'any', '--selector', 'tier=none');
    expect(await runEnded(stack, await start(none))).toMatchObject({ status: 'failed', code: 'no-node-matches' });
    await checkHistories(stack);
  });
});

describe('a parent run', () => {
  it('ends once and truthfully when the master that it was asked of dies', async () => {
    const parent = await start(await create('orphan', '--place', 'all'), second);
    await second.end('SIGKILL');
    expect(await runEnded(stack, parent)).toMatchObject({ status: 'succeeded' });
    expect(await outcomes(parent)).toEqual({ one: 'succeeded', two: 'succeeded', three: 'succeeded' });
  });
});
