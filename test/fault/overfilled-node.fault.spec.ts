import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import { runEvents } from '../support/archive.ts';
import type { EmbeddedStack } from '../support/embedded-stack.ts';
import type { FurtherAgent } from '../support/further-agent.ts';
import { checkHistories } from '../support/history.ts';
import { type RunView, addTask, runEnded } from '../support/runs.ts';
import { type ChildRun, SeveralAgents } from '../support/several-agents.ts';
import { slowTree, smallTree } from '../support/tree.ts';

let fleet: SeveralAgents;
let stack: EmbeddedStack;

beforeAll(async () => {
  // What two masters that place at the same time do to a node by chance, is here so by its settings: they believe in more slots than there are.
  fleet = await SeveralAgents.start(['full', 'free'], { HOLDFAST_AGENT_SLOTS: '1' });
  ({ stack } = fleet);
  for (const { node } of fleet.agents) await stack.call('PATCH', `/api/v1/nodes/${node}`, { slots: 3 });
}, 170_000);
afterAll(() => fleet?.stop(), 120_000);

const children = (parent: string): Promise<readonly ChildRun[]> => fleet.children(parent);

describe('a node that was given more than its agent has slots', () => {
  it('loses no run: what it does not claim is placed on another node, once, within the time to claim', async () => {
    const [full, free] = fleet.agents as [FurtherAgent, FurtherAgent];
    const slow = await addTask(stack, 'slow', [slowTree(join(fleet.room, 'slow'), 90)], { node: full.node });
    const any = await addTask(stack, 'any', [smallTree(join(fleet.room, 'small'))], { node: undefined, selector: { tier: 'db' }, place: 'any' });
    const { id: long } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${slow}:run`);
    await waitUntil(async () => (await stack.callPatiently<RunView>('GET', `/api/v1/runs/${long}`)).status === 'running');
    await stack.call('POST', `/api/v1/nodes/${free.node}:drain`, {});
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${any}:run`);
    await waitUntil(async () => (await children(id)).some(({ node, status }) => node === full.node && status === 'dispatched'));
    const sent = performance.now();
    await stack.call('POST', `/api/v1/nodes/${free.node}:resume`);
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded' });
    const took = performance.now() - sent;
    expect((await children(id)).map(({ node, status, code }) => [node, status, code]).sort()).toEqual(
      [[full.node, 'cancelled', 'placed-elsewhere'], [free.node, 'succeeded', undefined]].sort());
    expect((await stack.call<RunView>('GET', `/api/v1/runs/${long}`)).status).toBe('running');
    await stack.call('POST', `/api/v1/runs/${long}:cancel`);
    expect(await runEnded(stack, long)).toMatchObject({ status: 'cancelled' });
    process.stdout.write(`a run that was sent to a full agent was done elsewhere ${Math.round(took / 100) / 10} s after it was sent\n`);
  });

  it('works off twelve starts through both masters at the same moment, and none is lost or done twice', async () => {
    const tree = smallTree(join(fleet.room, 'many'));
    const tasks = await Promise.all(Array.from({ length: 12 }, (_, i) => addTask(stack, `many ${i}`, [tree], { node: undefined, selector: { tier: 'db' }, place: 'any' })));
    const began = performance.now();
    const parents = await Promise.all(tasks.map(async (task, i) => (await (i % 2 === 0 ? stack : fleet.second).call<{ id: string }>('POST', `/api/v1/tasks/${task}:run`)).id));
    const ended = await Promise.all(parents.map((parent) => runEnded(stack, parent, 300_000)));
    const took = performance.now() - began;
    expect(ended.map(({ status }) => status)).toEqual(parents.map(() => 'succeeded'));
    const all = (await Promise.all(parents.map(children))).flat();
    const done = all.filter(({ status }) => status === 'succeeded');
    expect(done).toHaveLength(parents.length);
    expect(all.filter(({ status }) => status !== 'succeeded').every(({ code }) => code === 'placed-elsewhere')).toBe(true);
    const returned = (await runEvents(stack)).filter(({ type }) => type === 'RunReturned').length;
    process.stdout.write(`twelve starts on two agents with a slot each were done after ${Math.round(took / 1000)} s; ${returned} attempts were not claimed in time\n`);
    await checkHistories(stack);
  });
});
