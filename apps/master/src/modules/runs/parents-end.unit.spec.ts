import { beforeEach, describe, expect, it } from 'vitest';
import { refuse } from '#kernel';
import { systemContext } from '../../platform/index.ts';
import { type OfflinePolicy, type TaskPlacement, taskDecider } from '../tasks/index.ts';
import { type Master, World, definition, nodeA, reportOf, taskA } from './testing.ts';

const [nodeB, nodeC] = ['node_b', 'node_c'];
const tier = { tier: 'db' };
const hour = 3_600_000;
let world: World;
let one: Master;
let two: Master;

beforeEach(() => {
  world = new World();
  const facts = world.nodes.get(nodeA)!;
  for (const node of [nodeA, nodeB, nodeC]) {
    world.nodes.set(node, { ...facts });
    world.labels.set(node, tier);
  }
  [one, two] = [world.master(), world.master()];
});

const set = (node: string, change: object): void => void world.nodes.set(node, { ...world.nodes.get(node)!, ...change });
const remove = (node: string): void => {
  world.nodes.delete(node);
  world.labels.delete(node);
};
const away = (): object => ({ online: false, offlineSince: world.clock.now() });
const rules = { wait: { offline: 'wait', waitSeconds: 86_400 }, skip: { offline: 'skip' }, fail: { offline: 'fail' } } as const satisfies Record<string, OfflinePolicy>;

/** Everything that masters do by themselves, on both, until nothing changes any more. */
const settle = async (): Promise<void> => {
  for (let before = -1; before !== world.log.all().length;) {
    before = world.log.all().length;
    for (const pass of [() => [one, two].map(({ parenting }) => parenting.pass()), () => [one, two].map(({ dispatching }) => dispatching.pass()), () => [one, two].map(({ supervision }) => supervision.pass())]) {
      await Promise.all(pass());
    }
  }
};
const later = async (milliseconds: number): Promise<void> => {
  await world.clock.advance(milliseconds);
  await settle();
};
const start = async (mode: 'any' | 'all', policy: OfflinePolicy): Promise<string> => {
  const id = world.ids.next('run');
  const placement: TaskPlacement = { selector: tier, mode, ...policy };
  const made = await one.deciding.execute('user:test', async (unit) => {
    await unit.decide(taskDecider, taskA, { type: 'DefineTask', definition: { ...definition, placement } });
    return one.parents.request(unit, { id, task: taskA, cause: 'user', now: one.deciding.now() });
  });
  if (!made.ok) throw new Error(made.error.code);
  await later(3_000);
  return id;
};
const statusOf = (id: string) => world.rows().find((row) => row.id === id)!;
const children = (parent: string) => world.rows().filter((row) => row.parent === parent);
const childOn = (parent: string, node: string) => children(parent).filter((row) => row.node === node).at(-1)!;
const claim = async (parent: string, node: string) => {
  const { id: run, attempt } = childOn(parent, node);
  const answer = await one.claims.answer(node, { id: 'ask', run, attempt, instance: `i ${node}` });
  if (answer.status !== 'ok') throw new Error(answer.code);
  return { run, attempt, ...answer.value };
};
const succeed = async (parent: string, node: string): Promise<void> => {
  const held = await claim(parent, node);
  expect(await two.reports.decide(node, held.run, reportOf(held))).toEqual({ decision: 'accepted' });
};

type Rule = keyof typeof rules;
type End = readonly [status: string, code: string, whole: string];

interface Hold {
  /** What is the matter with the node before the start, and after it. */
  readonly before?: () => void;
  readonly after?: (parent: string) => Promise<void> | void;
  readonly ends: Readonly<Partial<Record<Rule, End>>>;
}

const same = (end: End) => ({ wait: end, skip: end, fail: end });
const byRule = (code: string) => ({ wait: ['failed', 'wait-over', 'partial'], skip: ['skipped', code, 'succeeded'], fail: ['failed', code, 'partial'] }) as const;

/** All that can keep a child from ending by itself. */
const holds: Readonly<Record<string, Hold>> = {
  'is offline for ever': { before: () => set(nodeB, away()), ends: byRule('node-offline') },
  'is drained for ever': { before: () => set(nodeB, { drained: true }), ends: byRule('node-drained') },
  'never gets an agent': { before: () => set(nodeB, { enrolled: false, online: false }), ends: byRule('node-not-enrolled') },
  'has an agent that is never upgraded': { before: () => set(nodeB, { gate: refuse('conflict', 'agent-too-old', 'Upgrade it') }), ends: byRule('agent-too-old') },
  'is out of service': { before: () => set(nodeB, { disabled: true }), ends: same(['skipped', 'node-disabled', 'succeeded']) },
  'is taken out of service while it waits': {
    before: () => set(nodeB, away()), after: () => set(nodeB, { disabled: true }), ends: { wait: ['failed', 'wait-over', 'partial'] },
  },
  'is there and never claims': { ends: same(['failed', 'not-claimed', 'partial']) },
  'is removed while it waits': { before: () => set(nodeB, away()), after: () => remove(nodeB), ends: { wait: ['cancelled', 'node-removed', 'partial'] } },
  'is removed at work': { after: async (id) => { await claim(id, nodeB); remove(nodeB); }, ends: same(['cancelled', 'node-removed', 'partial']) },
  'is silent at work': {
    after: async (id) => { await claim(id, nodeB); set(nodeB, away()); },
    ends: { wait: ['failed', 'wait-over', 'partial'], skip: ['failed', 'node-offline', 'partial'], fail: ['failed', 'node-offline', 'partial'] },
  },
  'works and never ends': { after: async (id) => void (await claim(id, nodeB)), ends: same(['failed', 'not-claimed', 'partial']) },
  'never says that it has stopped': {
    after: async (id) => {
      const { run } = await claim(id, nodeB);
      await one.cancels.cancel(systemContext(world.clock, 'test', 'cmd cancel'), run);
      set(nodeB, away());
      await later(300_000);
    },
    ends: same(['lost', 'node-silent', 'partial']),
  },
};
const cases = Object.entries(holds).flatMap(([name, hold]) => Object.entries(hold.ends).map(([rule, end]) => ({ name, hold, rule: rule as Rule, end })));

describe('a run on all nodes of which one', () => {
  it.each(cases)('$name ends, with the rule $rule, and says what became of it: $end', async ({ hold, rule, end: [status, code, whole] }) => {
    hold.before?.();
    const id = await start('all', rules[rule]);
    await hold.after?.(id);
    for (const node of [nodeA, nodeC]) await succeed(id, node);
    for (let hours = 0; hours < 90 && statusOf(id).endedAt === null; hours += 3) await later(3 * hour);
    expect(childOn(id, nodeB)).toMatchObject({ status, code });
    expect(statusOf(id)).toMatchObject({ status: whole });
    expect(world.events('ParentRunEnded')).toHaveLength(1);
  });
});

describe('a run on any node', () => {
  it('goes to another node when the agent of its own does not claim it, and is done once', async () => {
    const id = await start('any', rules.wait);
    const [first] = children(id);
    await later(61_000);
    const [moved, placed] = [childOn(id, first!.node!), children(id).find(({ node }) => node !== first!.node)!];
    expect(moved).toMatchObject({ status: 'cancelled', code: 'placed-elsewhere' });
    expect(placed).toMatchObject({ status: 'dispatched' });
    const late = await one.claims.answer(first!.node!, { id: 'ask', run: first!.id, attempt: 1, instance: 'i' });
    expect(late).toMatchObject({ status: 'stale', code: 'claim-stale' });
    await succeed(id, placed.node!);
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'succeeded' });
  });
  it('stays where it is while there is no other node, is sent again, and fails in the end', async () => {
    remove(nodeB);
    remove(nodeC);
    const id = await start('any', rules.wait);
    await later(61_000);
    expect(children(id)).toMatchObject([{ node: nodeA, status: 'dispatched', attempt: 2 }]);
    for (let hours = 0; hours < 30; hours += 3) await later(3 * hour);
    expect(children(id)).toMatchObject([{ status: 'failed', code: 'not-claimed' }]);
    expect(statusOf(id)).toMatchObject({ status: 'failed' });
  });
  it('waits for a slot when its node is removed and all others are at work', async () => {
    for (const node of [nodeA, nodeB, nodeC]) set(node, { slots: 1 });
    set(nodeB, away());
    set(nodeC, away());
    const id = await start('any', rules.wait);
    set(nodeB, { online: true });
    const busy = world.ids.next('run');
    await one.deciding.execute('user:test', (unit) => unit.decide(taskDecider, 'task_b', { type: 'DefineTask', definition: { ...definition, name: 'other', placement: { nodes: [nodeB], offline: 'wait' } } }));
    await one.deciding.execute('user:test', (unit) => one.requests.ofTask(unit, { id: busy, task: 'task_b', node: nodeB, cause: 'user', now: one.deciding.now() }));
    await one.dispatch.dispatch(busy, nodeB);
    const other = await one.claims.answer(nodeB, { id: 'ask', run: busy, attempt: 1, instance: 'i' });
    if (other.status !== 'ok') throw new Error(other.code);
    remove(nodeA);
    await later(61_000);
    expect(childOn(id, nodeA)).toMatchObject({ status: 'cancelled', code: 'node-removed' });
    expect(statusOf(id).endedAt).toBeNull();
    await two.reports.decide(nodeB, busy, reportOf({ attempt: 1, ...other.value }));
    await settle();
    await succeed(id, nodeB);
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'succeeded' });
  });
  it('ends by the rule of its task when its node is removed and nobody else is there', async () => {
    set(nodeB, away());
    set(nodeC, { drained: true });
    const id = await start('any', rules.wait);
    remove(nodeA);
    await later(61_000);
    expect(statusOf(id).endedAt).toBeNull();
    for (let hours = 0; hours < 27; hours += 3) await later(3 * hour);
    expect(statusOf(id)).toMatchObject({ status: 'failed', code: 'wait-over' });
  });
});
