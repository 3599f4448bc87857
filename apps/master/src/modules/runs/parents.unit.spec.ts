import { beforeEach, describe, expect, it } from 'vitest';
import { systemContext } from '../../platform/index.ts';
import { type TaskPlacement, taskDecider } from '../tasks/index.ts';
import { decideParent } from './commands/decide-parent.ts';
import { type Master, World, definition, nodeA, reportOf, targetA, taskA } from './testing.ts';

const second = 1000;
const [nodeB, nodeC] = ['node_b', 'node_c'];
const tier = { tier: 'db' };
let world: World;
let one: Master;
let two: Master;

const freshWorld = (): World => {
  const fresh = new World();
  const facts = fresh.nodes.get(nodeA)!;
  for (const node of [nodeA, nodeB, nodeC]) {
    fresh.nodes.set(node, { ...facts });
    fresh.labels.set(node, tier);
  }
  return fresh;
};

beforeEach(() => {
  world = freshWorld();
  one = world.master();
  two = world.master();
});

const set = (node: string, change: object): void => void world.nodes.set(node, { ...world.nodes.get(node)!, ...change });
const placement = (mode: 'any' | 'all', change: Partial<TaskPlacement> = {}): TaskPlacement => ({ selector: tier, mode, offline: 'wait', ...change });

interface Wish {
  readonly offline?: 'wait' | 'skip' | 'fail';
  readonly waitSeconds?: number;
}

/** Defines the task anew and requests a parent run of it. */
const start = (mode: 'any' | 'all', change: Wish = {}, overlap: 'skip' | 'queue' = 'skip'): Promise<string> => request(one, world.ids.next('run'), { mode, change, overlap });
const request = async (master: Master, id: string, { mode, change, overlap }: { mode: 'any' | 'all'; change: Wish; overlap: 'skip' | 'queue' }): Promise<string> => {
  const made = await master.deciding.execute('user:test', async (unit) => {
    const wished = { ...definition, placement: placement(mode, change), overlap };
    const defined = await unit.decide(taskDecider, taskA, { type: 'DefineTask', definition: wished });
    if (!defined.ok) await unit.decide(taskDecider, taskA, { type: 'ChangeTask', definition: wished });
    return master.parents.request(unit, { id, task: taskA, cause: 'user', now: master.deciding.now() });
  });
  if (!made.ok) throw new Error(made.error.code);
  return id;
};
/** Passes of both masters, side by side, until nothing changes any more. */
const settle = async (): Promise<void> => {
  for (let before = -1; before !== world.log.all().length;) {
    before = world.log.all().length;
    await Promise.all([one.parenting.pass(), two.parenting.pass()]);
    await Promise.all([one.dispatching.pass(), two.dispatching.pass()]);
  }
};
const later = async (seconds = 3): Promise<void> => {
  await world.clock.advance(seconds * second);
  await settle();
};
const children = (parent: string) => world.rows().filter((row) => row.parent === parent);
const childOn = (parent: string, node: string) => children(parent).filter((row) => row.node === node).at(-1)!;
const statusOf = (id: string) => world.rows().find((row) => row.id === id)!;
const work = async (parent: string, node: string, outcome: 'succeeded' | 'failed' | 'cancelled'): Promise<void> => {
  const { id: run, attempt } = childOn(parent, node);
  const answer = await one.claims.answer(node, { id: 'ask', run, attempt, instance: `i ${node}` });
  if (answer.status !== 'ok') throw new Error(answer.code);
  const held = { attempt, ...answer.value };
  expect(await two.reports.decide(node, run, outcome === 'succeeded' ? reportOf(held) : { ...reportOf({ attempt, claim: held.claim }), outcome, code: 'x', detail: 'x' })).toEqual({ decision: 'accepted' });
};
const fail = async (parent: string, node: string): Promise<void> => {
  await work(parent, node, 'failed');
  await later(61);
  await work(parent, node, 'failed');
};

describe('a run on all nodes with a label', () => {
  it('has a child on each of them and ends as they did', async () => {
    const id = await start('all');
    await later();
    expect(children(id).map(({ node, status }) => [node, status])).toEqual([[nodeA, 'dispatched'], [nodeB, 'dispatched'], [nodeC, 'dispatched']]);
    expect(statusOf(id)).toMatchObject({ status: 'running', childCount: 3 });
    for (const node of [nodeA, nodeB]) await work(id, node, 'succeeded');
    await settle();
    expect(statusOf(id).status).toBe('running');
    await work(id, nodeC, 'succeeded');
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'succeeded', code: null });
    expect(world.types('parent-run')).toEqual(['ParentRunRequested', 'ChildRunsStarted', 'ParentRunEnded']);
  });
  it('is for the nodes that match when it is requested: one that comes later is not in it, one that is removed is cancelled', async () => {
    set(nodeC, { online: false });
    const id = await start('all');
    world.nodes.set('node_d', { ...world.nodes.get(nodeA)! });
    world.labels.set('node_d', tier);
    await later();
    world.nodes.delete(nodeC);
    await later();
    expect(children(id).map(({ node }) => node)).toEqual([nodeA, nodeB, nodeC]);
    expect(childOn(id, nodeC)).toMatchObject({ status: 'cancelled', code: 'node-removed' });
    for (const node of [nodeA, nodeB]) await work(id, node, 'succeeded');
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'partial', code: 'children-incomplete' });
  });
  it('makes nothing for a node that is out of service, whatever the rule, and says so', async () => {
    set(nodeB, { disabled: true });
    const id = await start('all');
    await later();
    for (const node of [nodeA, nodeC]) await work(id, node, 'succeeded');
    await settle();
    expect(children(id).map(({ status, code }) => [status, code])).toEqual([['succeeded', null], ['skipped', 'node-disabled'], ['succeeded', null]]);
    expect(statusOf(id)).toMatchObject({ status: 'succeeded', code: 'children-skipped', detail: 'Of 3 run(s): 2 succeeded, 1 skipped' });
  });
  it('waits for a drained node as the task says, shows that, and begins there when it is resumed', async () => {
    set(nodeB, { drained: true });
    const id = await start('all', { offline: 'wait', waitSeconds: 600 });
    await later();
    for (const node of [nodeA, nodeC]) await work(id, node, 'succeeded');
    await later(500);
    expect(childOn(id, nodeB).status).toBe('queued');
    expect(await one.dispatch.dispatch(childOn(id, nodeB).id, nodeB)).toMatchObject({ dispatched: false, waiting: { code: 'node-drained' } });
    set(nodeB, { drained: false });
    await settle();
    await work(id, nodeB, 'succeeded');
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'succeeded', code: null });
  });
  it.each([
    ['skip', 'skipped', 'node-offline', 'succeeded'],
    ['fail', 'failed', 'node-offline', 'partial'],
  ] as const)('does with an offline node as the rule %s says', async (offline, status, code, whole) => {
    set(nodeB, { online: false });
    const id = await start('all', { offline });
    await later();
    expect(childOn(id, nodeB)).toMatchObject({ status, code });
    for (const node of [nodeA, nodeC]) await work(id, node, 'succeeded');
    await settle();
    expect(statusOf(id)).toMatchObject({ status: whole });
  });
  it('waits for an offline node as long as the task says, and begins there when it is back in time', async () => {
    for (const node of [nodeB, nodeC]) set(node, { online: false });
    const id = await start('all', { offline: 'wait', waitSeconds: 600 });
    await later();
    await work(id, nodeA, 'succeeded');
    await later(500);
    expect(children(id).map(({ status }) => status)).toEqual(['succeeded', 'queued', 'queued']);
    set(nodeB, { online: true });
    await settle();
    await work(id, nodeB, 'succeeded');
    await later(100);
    expect(childOn(id, nodeC)).toMatchObject({ status: 'failed', code: 'wait-over' });
    expect(statusOf(id)).toMatchObject({ status: 'partial' });
  });
  it('fails where no node matches', async () => {
    world.labels.clear();
    const id = await start('all');
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'failed', code: 'no-node-matches' });
  });
  it('that is cancelled cancels every child, those at work when their agents confirm', async () => {
    set(nodeC, { online: false });
    const id = await start('all');
    await later();
    const { id: run, attempt } = childOn(id, nodeA);
    const answer = await one.claims.answer(nodeA, { id: 'ask', run, attempt, instance: 'i' });
    await one.deciding.execute('user:test', (unit) => decideParent(unit, id, { type: 'CancelParent' }));
    await settle();
    expect(children(id).map(({ status }) => status)).toEqual(['cancel-requested', 'cancelled', 'cancelled']);
    expect(world.sent.filter(({ verb }) => verb === 'stop').map(({ node }) => node).sort()).toEqual([nodeA, nodeB]);
    expect(statusOf(id).status).toBe('cancel-requested');
    if (answer.status !== 'ok') throw new Error(answer.code);
    await one.reports.decide(nodeA, run, { ...reportOf({ attempt, claim: answer.value.claim }), outcome: 'cancelled' });
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'cancelled', detail: 'Of 3 run(s): 3 cancelled' });
  });
  it('that is retried tries those again that failed, and only those', async () => {
    const id = await start('all');
    await later();
    await work(id, nodeA, 'succeeded');
    await work(id, nodeB, 'succeeded');
    await fail(id, nodeC);
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'partial' });
    await one.retries.retry(systemContext(world.clock, 'test', 'cmd retry'), id);
    await later();
    expect(children(id).map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'dispatched']);
    expect(statusOf(id).status).toBe('running');
    await work(id, nodeC, 'succeeded');
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'succeeded', code: null });
    await expect(one.retries.retry(systemContext(world.clock, 'test', 'cmd again'), id)).rejects.toMatchObject({ code: 'run-has-result' });
  });
  it('ends anew when one of its children is retried by itself', async () => {
    const id = await start('all');
    await later();
    for (const node of [nodeA, nodeB]) await work(id, node, 'succeeded');
    await fail(id, nodeC);
    await settle();
    const child = childOn(id, nodeC).id;
    await two.retries.retry(systemContext(world.clock, 'test', 'cmd child'), child);
    const [reopened] = world.events('ParentRunReopened');
    expect(world.log.all().filter(({ context }) => context.commandId === reopened?.context.commandId).map(({ event }) => event.type)).toContain('RunRetried');
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'running', endedAt: null });
    await work(id, nodeC, 'succeeded');
    await settle();
    expect(statusOf(id).status).toBe('succeeded');
  });
  it('ends anew when a child that was given up turns out to have succeeded', async () => {
    const id = await start('all');
    await later();
    for (const node of [nodeA, nodeB]) await work(id, node, 'succeeded');
    const { id: run, attempt } = childOn(id, nodeC);
    const answer = await one.claims.answer(nodeC, { id: 'ask', run, attempt, instance: 'i' });
    if (answer.status !== 'ok') throw new Error(answer.code);
    const lose = async (number: number) => one.decide(run, { type: 'LoseRun', attempt: number, now: one.deciding.now(), code: 'not-held', detail: 'x' });
    await lose(attempt);
    await later(61);
    const again = await one.claims.answer(nodeC, { id: 'ask', run, attempt: attempt + 1, instance: 'i' });
    expect(again.status).toBe('ok');
    await lose(attempt + 1);
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'partial', detail: 'Of 3 run(s): 2 succeeded, 1 failed' });
    expect(await two.reports.decide(nodeC, run, reportOf({ attempt, ...answer.value }))).toEqual({ decision: 'late' });
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'succeeded', detail: null });
  });
  it('leaves out, visibly, a node on which the task still runs', async () => {
    const first = await start('all');
    await later();
    for (const node of [nodeA, nodeB]) await work(first, node, 'succeeded');
    const next = await start('all');
    await later();
    expect(children(next).map(({ status, code }) => [status, code])).toEqual([['dispatched', null], ['dispatched', null], ['skipped', 'overlap']]);
  });
  it('on a thousand nodes begins in batches, once each, whichever master dies between them', async () => {
    for (let i = 0; i < 1000; i++) {
      const node = `node_${String(i).padStart(4, '0')}`;
      world.nodes.set(node, { enrolled: true, drained: false, online: false, slots: 1 });
      world.labels.set(node, { fleet: 'x' });
    }
    const id = world.ids.next('run');
    await one.deciding.execute('user:test', async (unit) => {
      await unit.decide(taskDecider, taskA, { type: 'DefineTask', definition: { ...definition, placement: { selector: { fleet: 'x' }, mode: 'all', offline: 'wait' } } });
      return one.parents.request(unit, { id, task: taskA, cause: 'user', now: one.deciding.now() });
    });
    expect(children(id)).toHaveLength(250);
    await two.deciding.execute('user:test', (unit) => two.children.next(unit, id, two.deciding.now()));
    expect(children(id)).toHaveLength(500);
    await Promise.all([one.parenting.advance(id), two.parenting.advance(id)]);
    expect(new Set(children(id).map(({ node }) => node)).size).toBe(1000);
    expect(world.events('RunRequested')).toHaveLength(1000);
    expect(world.events('ChildRunsStarted')).toHaveLength(4);
  }, 30_000);
});

describe('a run on any node with a label', () => {
  it('begins on the least loaded one; two masters choose once', async () => {
    await world.request(one, { placement: { nodes: [nodeA], offline: 'wait' } });
    await later();
    const id = await start('any');
    await settle();
    expect(children(id)).toHaveLength(1);
    expect(children(id)[0]).toMatchObject({ status: 'dispatched', node: expect.not.stringMatching(nodeA) });
    const batch = world.events('ChildRunPlaced')[0]?.context.commandId;
    expect(world.log.all().filter(({ context }) => context.commandId === batch).map(({ event }) => event.type)).toEqual(expect.arrayContaining(['ChildRunPlaced', 'RunRequested', 'RunDispatched']));
    await work(id, children(id)[0]!.node!, 'succeeded');
    await settle();
    expect(statusOf(id).status).toBe('succeeded');
    expect(world.types('lane').filter((type) => type === 'LaneLeft')).toHaveLength(2);
  });
  it('goes to the same node as before while all are alike', async () => {
    const nodes: (string | null)[] = [];
    for (let i = 0; i < 3; i++) {
      const id = await start('any');
      await settle();
      nodes.push(children(id)[0]!.node);
      await work(id, children(id)[0]!.node!, 'succeeded');
      await settle();
    }
    expect(new Set(nodes).size).toBe(1);
  });
  it('waits while all slots are taken, whatever the rule for offline nodes, and never takes one too many', async () => {
    for (const node of [nodeA, nodeB, nodeC]) set(node, { slots: 1 });
    for (const node of [nodeB, nodeC]) world.labels.delete(node);
    const first = await start('any', { offline: 'fail' }, 'queue');
    const next = await start('any', { offline: 'fail' }, 'queue');
    await later();
    expect([children(first).length, children(next).length]).toEqual([1, 0]);
    expect(statusOf(next).status).toBe('queued');
    await work(first, nodeA, 'succeeded');
    await settle();
    expect(childOn(next, nodeA)).toMatchObject({ status: 'dispatched' });
  });
  it.each([['skip', 'skipped', 'nodes-offline'], ['fail', 'failed', 'nodes-offline']] as const)('with all of them offline does as the rule %s says', async (offline, status, code) => {
    for (const node of [nodeA, nodeB, nodeC]) set(node, { online: false });
    const id = await start('any', { offline });
    await settle();
    expect(statusOf(id)).toMatchObject({ status, code });
    expect(children(id)).toEqual([]);
  });
  it('waits for one of them to come back, for as long as the task says', async () => {
    for (const node of [nodeA, nodeB, nodeC]) set(node, { online: false });
    const id = await start('any', { offline: 'wait', waitSeconds: 60 });
    await later(59);
    expect(statusOf(id).status).toBe('queued');
    await later(1);
    expect(statusOf(id)).toMatchObject({ status: 'failed', code: 'wait-over' });
    const next = await start('any', { offline: 'wait', waitSeconds: 60 });
    await later(59);
    set(nodeB, { online: true });
    await settle();
    expect(childOn(next, nodeB)).toMatchObject({ status: 'dispatched' });
  });
  it('fails at once where no node matches, and is placed when it is retried after one does', async () => {
    world.labels.clear();
    const id = await start('any');
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'failed', code: 'no-node-matches' });
    world.labels.set(nodeB, tier);
    await one.retries.retry(systemContext(world.clock, 'test', 'cmd retry'), id);
    await settle();
    expect(childOn(id, nodeB)).toMatchObject({ status: 'dispatched' });
  });
  it('moves to another node when its own goes away before it began, and stays where it has begun', async () => {
    const id = await start('any');
    await settle();
    const node = children(id)[0]?.node ?? '';
    set(node, { online: false });
    await later(61);
    const [before, after] = [children(id).find((row) => row.node === node)!, children(id).find((row) => row.node !== node)!];
    expect(before).toMatchObject({ status: 'cancelled', code: 'placed-elsewhere' });
    expect(after).toMatchObject({ status: 'dispatched' });
    const answer = await one.claims.answer(after.node!, { id: 'ask', run: after.id, attempt: 1, instance: 'i' });
    expect(answer.status).toBe('ok');
    set(after.node!, { online: false });
    await later(61);
    expect(children(id)).toHaveLength(2);
    expect(statusOf(after.id).status).toBe('running');
  });
  it('moves when its node is removed before it began', async () => {
    const id = await start('any');
    await settle();
    const { node } = children(id)[0]!;
    world.nodes.delete(node!);
    world.labels.delete(node!);
    await later(61);
    expect(children(id).filter(({ status }) => status === 'dispatched')).toHaveLength(1);
    expect(statusOf(id).status).toBe('running');
  });
  it('goes to the next node where the repository of the best one is in use', async () => {
    const first = await start('any');
    await settle();
    const best = children(first)[0]!.node!;
    await work(first, best, 'succeeded');
    await settle();
    const prune = world.ids.next('run');
    await one.deciding.execute('user:test', (unit) => one.requests.duty(unit, { id: prune, plan: { kind: 'prune', ofNode: best, dryRun: false }, target: targetA, cause: 'user' }));
    await one.dispatch.dispatch(prune, 'node_control');
    const next = await start('any');
    await settle();
    expect(children(next)).toHaveLength(1);
    expect(children(next)[0]).toMatchObject({ status: 'dispatched', node: expect.not.stringMatching(best) });
  });
  it('is cancelled at once while nobody has it', async () => {
    for (const node of [nodeA, nodeB, nodeC]) set(node, { online: false });
    const id = await start('any');
    await settle();
    await one.cancels.cancel(systemContext(world.clock, 'test', 'cmd cancel'), id);
    await settle();
    expect(statusOf(id)).toMatchObject({ status: 'cancelled', code: null });
  });
  it('that is refused by the overlap of its task leaves no trace', async () => {
    await start('any');
    await settle();
    await expect(start('any')).rejects.toThrow('task-running');
    expect(world.events('ParentRunRequested')).toHaveLength(1);
  });
});

/** A master that dies at one of its appends: before it, or after it and before it has heard that it held. */
const mortal = (appends: number, heard: boolean): { master: Master; readonly died: boolean } => {
  let count = 0;
  const master = world.master((log) => ({
    load: log.load.bind(log),
    append: async (batch, context) => {
      count++;
      if (count <= appends) return log.append(batch, context);
      if (count === appends + 1 && !heard) await log.append(batch, context);
      throw new Error('the master is dead');
    },
  }));
  return { master, get died() { return count > appends; } };
};
const untilDeath = async (...steps: (() => Promise<unknown>)[]): Promise<void> => {
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      expect(error).toMatchObject({ message: 'the master is dead' });
      return;
    }
  }
};

describe.each([['all', 3], ['any', 1]] as const)('a run on %s, when a master dies at any of its steps', (mode, nodes) => {
  it.each([[true], [false]])('is begun once on each node and ends once (the append was not made: %s)', async (heard) => {
    const wish = { mode, change: {}, overlap: 'skip' } as const;
    let survived = false;
    for (let appends = 0; !survived; appends++) {
      world = freshWorld();
      [one, two] = [world.master(), world.master()];
      const id = world.ids.next('run');
      const first = mortal(appends, heard);
      await untilDeath(() => request(first.master, id, wish), () => first.master.parenting.pass(), () => first.master.parenting.pass());
      survived = !first.died;
      if (statusOf(id) === undefined) await request(one, id, wish);
      await later();
      expect(children(id).map(({ status }) => status)).toEqual(Array.from({ length: nodes }, () => 'dispatched'));
      const second = mortal(appends, heard);
      for (const { node } of children(id)) await work(id, node ?? '', 'succeeded');
      await untilDeath(() => second.master.parenting.pass());
      await settle();
      expect(statusOf(id)).toMatchObject({ status: 'succeeded' });
      expect(world.events('RunRequested')).toHaveLength(nodes);
      expect(world.events('RunDispatched')).toHaveLength(nodes);
      expect(world.events('ParentRunEnded')).toHaveLength(1);
      expect(world.types('lane').filter((type) => type === 'LaneEntered')).toHaveLength(world.types('lane').filter((type) => type === 'LaneLeft').length);
    }
  });
  it.each([[true], [false]])('is cancelled whole, and leaves nothing at work (the append was not made: %s)', async (heard) => {
    let survived = false;
    for (let appends = 0; !survived; appends++) {
      world = freshWorld();
      [one, two] = [world.master(), world.master()];
      const id = await start(mode);
      await later();
      const mortalOne = mortal(appends, heard);
      await untilDeath(() => mortalOne.master.cancels.cancel(systemContext(world.clock, 'test', 'cmd cancel'), id), () => mortalOne.master.parenting.pass(), () => mortalOne.master.parenting.pass());
      survived = !mortalOne.died;
      await two.cancels.cancel(systemContext(world.clock, 'test', 'cmd cancel once more'), id);
      await settle();
      expect(statusOf(id)).toMatchObject({ status: 'cancelled' });
      expect(children(id).every(({ status }) => status === 'cancelled')).toBe(true);
      expect(world.events('RunCancelled')).toHaveLength(nodes);
      expect(world.events('ParentRunEnded')).toHaveLength(1);
    }
  });
});
