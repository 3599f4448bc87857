import { beforeEach, describe, expect, it } from 'vitest';
import { Command, parseMessage } from '#contracts';
import { grantFault } from './asks/grant.policy.ts';
import { refuse } from '#kernel';
import { repositoryDecider, repositoryKey } from '../repositories/index.ts';
import { taskDecider } from '../tasks/index.ts';
import { type Master, World, admitted, definition, nodeA, reportOf, targetA, taskA } from './testing.ts';

const second = 1000;
let world: World;
let one: Master;
let two: Master;
beforeEach(() => {
  world = new World();
  one = world.master();
  two = world.master();
});
const status = async (id: string): Promise<string> => (await one.deciding.run(id)).status;

describe('from the request to the snapshot', () => {
  it('a run is sent, claimed, reported and recorded, with its lease and its place in the lane given back', async () => {
    const held = await world.running(one);
    expect(world.sent.map((command) => command.verb)).toEqual(['backup']);
    expect(await two.reports.decide(nodeA, held.run, reportOf(held))).toEqual({ decision: 'accepted' });
    expect(world.types('run')).toEqual(['RunRequested', 'RunDispatched', 'RunStarted', 'SnapshotRecorded', 'RunSucceeded']);
    expect(world.types('repository')).toEqual(['LeaseTaken', 'LeaseReleased', 'RepositoryCreated', 'SnapshotAdmitted']);
    expect(world.types('lane')).toEqual(['LaneEntered', 'LaneLeft']);
    const [success] = world.events('RunSucceeded');
    const batch = world.log.all().filter((recorded) => recorded.context.commandId === success!.context.commandId);
    expect(batch.map((recorded) => recorded.event.type)).toEqual(expect.arrayContaining(['RunSucceeded', 'SnapshotRecorded', 'SnapshotAdmitted', 'LeaseReleased', 'LaneLeft']));
  });
  it('what is sent is a command of the contract', async () => {
    const run = await world.request(one);
    await one.dispatch.dispatch(run, nodeA);
    const plain = { ...world.sent[0]!, node: 'node_0123456789abcdefghjk' };
    expect(parseMessage(Command, plain).ok).toBe(true);
  });
  it('a snapshot that is not admitted makes the run fail with the reason, and another attempt follows', async () => {
    world.admission = async () => ({ admitted: false, code: 'object-missing', detail: 'a pack is missing' });
    const held = await world.running(one);
    await one.reports.decide(nodeA, held.run, reportOf(held));
    expect(world.events('RunFailed')[0]?.event.data).toMatchObject({ code: 'object-missing' });
    expect(world.types('run')).not.toContain('SnapshotRecorded');
    expect(await status(held.run)).toBe('queued');
  });
  it('a snapshot of another name than the claim said never reaches admission', async () => {
    const held = await world.running(one);
    await one.reports.decide(nodeA, held.run, reportOf({ ...held, snapshot: 'snap_other' }));
    expect(world.admissions).toEqual([]);
    expect(world.events('RunFailed')[0]?.event.data).toMatchObject({ code: 'wrong-snapshot' });
  });
  it('a target that cannot be read now decides nothing: the report comes again', async () => {
    world.admission = () => Promise.reject(new Error('the target is away'));
    const held = await world.running(one);
    await expect(one.reports.decide(nodeA, held.run, reportOf(held))).rejects.toThrow('away');
    expect(await status(held.run)).toBe('running');
  });
  it('a prune between check and decision makes the snapshot be checked again', async () => {
    const held = await world.running(one);
    const repository = repositoryKey(nodeA, targetA);
    let checks = 0;
    world.admission = async (request) => {
      // The lease normally forbids it; a lease that was lost with its run does not.
      if (++checks === 1) {
        await two.deciding.execute('system:test', async (unit) => {
          await unit.decide(repositoryDecider, repository, { type: 'ReleaseLease', run: held.run });
          await unit.decide(repositoryDecider, repository, { type: 'TakeLease', run: 'run_prune', mode: 'exclusive', node: nodeA, target: targetA });
          await unit.decide(repositoryDecider, repository, { type: 'MarkPrune', run: 'run_prune' });
          await unit.decide(repositoryDecider, repository, { type: 'StartDeletion', run: 'run_prune', admissions: 0 });
          await unit.decide(repositoryDecider, repository, { type: 'CompletePrune', run: 'run_prune', forgotten: [], deletedObjects: 1, deletedBytes: 1 });
          return unit.decide(repositoryDecider, repository, { type: 'ReleaseLease', run: 'run_prune' });
        });
      }
      return admitted(request);
    };
    expect(await one.reports.decide(nodeA, held.run, reportOf(held))).toEqual({ decision: 'accepted' });
    expect(checks).toBe(2);
  });
});

describe('two masters', () => {
  it('that dispatch the same run at the same moment make one attempt', async () => {
    const run = await world.request(one);
    await Promise.all([one.dispatch.dispatch(run, nodeA), two.dispatch.dispatch(run, nodeA)]);
    expect(world.events('RunDispatched')).toHaveLength(1);
    expect(world.sent).toHaveLength(1);
  });
  it('that answer the same claim at the same moment give the same answer', async () => {
    const run = await world.request(one);
    await one.dispatch.dispatch(run, nodeA);
    const ask = { id: 'a', run, attempt: 1, instance: 'i1' };
    const [first, other] = await Promise.all([one.claims.answer(nodeA, ask), two.claims.answer(nodeA, ask)]);
    expect(first).toMatchObject({ status: 'ok' });
    expect(other).toEqual(first);
    expect(world.events('RunStarted')).toHaveLength(1);
  });
  it('that are asked by two instances of a node let one of them work', async () => {
    const run = await world.request(one);
    await one.dispatch.dispatch(run, nodeA);
    const answers = await Promise.all(['i1', 'i2'].map((instance, i) => [one, two][i]!.claims.answer(nodeA, { id: 'a', run, attempt: 1, instance })));
    expect(answers.map((answer) => answer.status).sort()).toEqual(['ok', 'stale']);
  });
  it('that get the same report twice record one snapshot', async () => {
    const held = await world.running(one);
    const decisions = await Promise.all([one, two].map((master) => master.reports.decide(nodeA, held.run, reportOf(held))));
    expect(decisions.map(({ decision }) => decision)).toContain('accepted');
    expect(world.events('SnapshotRecorded')).toHaveLength(1);
  });
  it('that supervise the same run give it up once', async () => {
    const held = await world.running(one);
    await world.clock.advance(3600 * second + 30 * second);
    await Promise.all([one.supervision.pass(), two.supervision.pass()]);
    expect(world.events('RunTimedOut')).toHaveLength(1);
    expect(world.events('RunRetried')).toHaveLength(1);
    expect(await status(held.run)).toBe('queued');
  });
});

describe('dispatch', () => {
  it('what was decided and not sent is sent by a later pass, of any master', async () => {
    const run = await world.request(one);
    world.sendFails = true;
    await one.dispatch.dispatch(run, nodeA);
    world.sendFails = false;
    await world.clock.advance(16 * second);
    await two.dispatching.pass();
    expect(world.sent).toMatchObject([{ run, attempt: 1, verb: 'backup' }]);
  });
  it('a command that nobody claims is told again every quarter of a minute, once whatever the number of masters', async () => {
    const run = await world.request(one);
    await one.dispatch.dispatch(run, nodeA);
    for (const passed of [14, 1, 1, 13, 2]) {
      await world.clock.advance(passed * second);
      await Promise.all([one.dispatching.pass(), two.dispatching.pass()]);
    }
    // A master that has just started repeats nothing that the others have told.
    await world.master().dispatching.pass();
    expect(world.sent.map((command) => [command.run, command.attempt])).toEqual([[run, 1], [run, 1], [run, 1]]);
  });
  it('a run that nobody claims goes back to the queue with the reason, and is sent as a new attempt', async () => {
    const run = await world.request(one);
    await one.dispatch.dispatch(run, nodeA);
    await world.clock.advance(61 * second);
    await one.dispatching.pass();
    expect(world.events('RunReturned')[0]?.event.data).toMatchObject({ attempt: 1, code: 'not-claimed' });
    expect(world.sent.at(-1)).toMatchObject({ run, attempt: 2 });
    expect(await one.claims.answer(nodeA, { id: 'a', run, attempt: 1, instance: 'i1' })).toMatchObject({ status: 'stale' });
  });
  it.each([
    ['node-offline', { online: false }], ['node-drained', { drained: true }], ['node-not-enrolled', { enrolled: false }], ['no-free-slot', { slots: 0 }],
    ['node-disabled', { disabled: true }], ['agent-too-old', { gate: refuse('unavailable', 'agent-too-old', 'Upgrade it') }],
  ])('waits with the reason %s', async (code, change) => {
    const run = await world.request(one);
    world.nodes.set(nodeA, { ...world.nodes.get(nodeA)!, ...change });
    expect(await one.dispatch.dispatch(run, nodeA)).toMatchObject({ dispatched: false, waiting: { code } });
    expect(await status(run)).toBe('queued');
  });
  it('nothing is made for a node out of service: its schedule is skipped and says so, a start by hand is refused', async () => {
    world.nodes.set(nodeA, { ...world.nodes.get(nodeA)!, disabled: true });
    const start = (cause: 'schedule' | 'user') => one.deciding.execute('user:test', async (unit) => {
      await unit.decide(taskDecider, taskA, { type: 'DefineTask', definition });
      return one.requests.ofTask(unit, { id: `run_${cause}`, task: taskA, node: nodeA, cause, now: one.deciding.now() });
    });
    expect(await start('user')).toMatchObject({ ok: false, error: { code: 'node-disabled' } });
    expect((await start('schedule')).ok).toBe(true);
    expect(world.events('RunSkipped')[0]?.event.data).toMatchObject({ code: 'node-disabled' });
  });
  it('a run of a node that was removed is cancelled with that reason, and does not wait for ever', async () => {
    const run = await world.request(one);
    world.nodes.delete(nodeA);
    await world.clock.advance(2 * second);
    await Promise.all([one.dispatching.pass(), two.dispatching.pass()]);
    expect(world.rows()[0]).toMatchObject({ id: run, status: 'cancelled', code: 'node-removed' });
    expect(world.events('RunCancelled')).toHaveLength(1);
  });
  it('a new run is left to the master that sends it at once, and sent by any other when that one has died', async () => {
    await world.request(one);
    await two.dispatching.pass();
    expect(world.sent).toEqual([]);
    await world.clock.advance(2 * second);
    await two.dispatching.pass();
    expect(world.sent).toHaveLength(1);
  });
  it('a node that cannot work does not starve the others', async () => {
    world.nodes.set('node_b', { ...world.nodes.get(nodeA)!, online: false });
    const nodes = ['node_b', nodeA];
    await world.request(one, { placement: { nodes, offline: 'wait' } });
    const stuck = world.ids.next('run');
    await one.deciding.execute('user:test', (unit) => one.requests.ofTask(unit, { id: stuck, task: taskA, node: 'node_b', cause: 'user', now: one.deciding.now() }));
    await world.clock.advance(2 * second);
    await one.dispatching.pass();
    expect(world.sent.map((command) => command.node)).toEqual([nodeA]);
  });
  it.each([
    ['skip', undefined, 'skipped', 'node-offline'], ['fail', undefined, 'failed', 'node-offline'], ['wait', 30, 'failed', 'wait-over'], ['wait', undefined, 'queued', undefined],
  ] as const)('on a node that is away: %s (%s s) makes it %s', async (offline, waitSeconds, expected, code) => {
    world.nodes.set(nodeA, { ...world.nodes.get(nodeA)!, online: false });
    const run = await world.request(one, { placement: { nodes: [nodeA], offline, ...(waitSeconds === undefined ? {} : { waitSeconds }) } });
    for (let passed = 0; passed < 60; passed += 3) {
      await world.clock.advance(3 * second);
      await Promise.all([one.dispatching.pass(), two.dispatching.pass()]);
      if (passed < 24 && waitSeconds !== undefined) expect(await status(run)).toBe('queued');
    }
    expect(await status(run)).toBe(expected);
    expect(world.rows().find(({ id }) => id === run)?.code ?? undefined).toBe(code);
    expect(world.types('lane').at(-1)).toBe(expected === 'queued' ? 'LaneEntered' : 'LaneLeft');
  });
  it('that has begun before is not skipped but fails when its node stays away', async () => {
    const held = await world.running(one, { placement: { nodes: [nodeA], offline: 'skip' } });
    world.nodes.set(nodeA, { ...world.nodes.get(nodeA)!, online: false });
    await one.decide(held.run, { type: 'LoseRun', attempt: 1, now: one.deciding.now(), code: 'node-silent', detail: 'x' });
    await world.clock.advance(61 * second);
    await one.dispatching.pass();
    expect(await status(held.run)).toBe('failed');
    expect(world.types('run').at(-1)).toBe('RunGivenUp');
  });
  it('waits while a prune has the repository, and begins when that is over', async () => {
    const run = await world.request(one);
    const plan = { kind: 'prune', ofNode: nodeA, dryRun: false } as const;
    const prune = world.ids.next('run');
    await one.deciding.execute('user:test', (unit) => one.requests.duty(unit, { id: prune, plan, target: targetA, cause: 'user' }));
    await one.dispatch.dispatch(prune, 'node_control');
    expect(await one.dispatch.dispatch(run, nodeA)).toMatchObject({ waiting: { code: 'repository-busy' } });
    await one.decide(prune, { type: 'CancelRun' });
    expect(await one.dispatch.dispatch(run, nodeA)).toMatchObject({ dispatched: true });
  });
  it('a prune waits for the backup at work', async () => {
    await world.running(one);
    const prune = world.ids.next('run');
    const plan = { kind: 'prune', ofNode: nodeA, dryRun: false } as const;
    await one.deciding.execute('user:test', (unit) => one.requests.duty(unit, { id: prune, plan, target: targetA, cause: 'duty' }));
    expect(await one.dispatch.dispatch(prune, 'node_control')).toMatchObject({ dispatched: false, waiting: { code: 'repository-busy' } });
  });
  it('runs of one task on one node go one after the other, in the order they were requested', async () => {
    const first = await world.request(one, { overlap: 'queue' });
    const next = await world.request(one, { overlap: 'queue' });
    expect(await one.dispatch.dispatch(next, nodeA)).toMatchObject({ waiting: { code: 'task-running' } });
    await one.dispatch.dispatch(first, nodeA);
    await one.decide(first, { type: 'CancelRun' });
    expect(await one.dispatch.dispatch(next, nodeA)).toMatchObject({ dispatched: true });
  });
  it('a start by hand that overlaps is refused where the task does not queue', async () => {
    await world.request(one);
    await expect(world.request(one)).rejects.toThrow('task-running');
    expect(world.events('RunRequested')).toHaveLength(1);
  });
});

describe('a late success', () => {
  it('is recorded as such when its snapshot is complete, and ends the attempt that came after', async () => {
    const held = await world.running(one);
    await world.clock.advance(3700 * second);
    await one.supervision.pass();
    await world.clock.advance(61 * second);
    await one.dispatch.dispatch(held.run, nodeA);
    await world.claimed(one, held.run);
    expect(await one.reports.decide(nodeA, held.run, reportOf(held))).toEqual({ decision: 'late' });
    expect(world.events('SnapshotRecorded')[0]?.event.data).toMatchObject({ late: true, attempt: 1 });
    expect(world.sent.at(-1)).toMatchObject({ verb: 'stop', attempt: 2 });
    expect(world.types('repository').filter((type) => type.startsWith('Lease'))).toEqual(['LeaseTaken', 'LeaseReleased', 'LeaseTaken', 'LeaseReleased']);
  });
  it('changes nothing when the snapshot is not complete', async () => {
    const held = await world.running(one);
    await world.clock.advance(3700 * second);
    await one.supervision.pass();
    world.admission = async () => ({ admitted: false, code: 'object-missing', detail: '' });
    const before = world.log.all().length;
    expect(await one.reports.decide(nodeA, held.run, reportOf(held))).toMatchObject({ decision: 'refused' });
    expect(world.log.all()).toHaveLength(before);
  });
});

describe('a fenced attempt', () => {
  it('gets no grant and is told to stop', async () => {
    const held = await world.running(one);
    await world.clock.advance(3700 * second);
    await one.supervision.pass();
    const answer = await one.grants.answer(nodeA, { id: 'g', holder: held, objects: [] });
    expect(answer).toMatchObject({ status: 'stop', code: 'attempt-fenced' });
  });
  it('is told to stop at its next sync', async () => {
    const held = await world.running(one);
    await one.decide(held.run, { type: 'LoseRun', attempt: 1, now: one.deciding.now(), code: 'x', detail: '' });
    const answer = await one.sync.answer(nodeA, { id: 's', instance: 'i1', held: [held], reporting: [] });
    expect(answer).toMatchObject({ status: 'ok', value: { stop: [{ run: held.run }] } });
  });
});

describe('sync', () => {
  const sync = (held: object[] = []) => one.sync.answer(nodeA, { id: 's', instance: 'i1', held: held as never, reporting: [] });
  it('gives up an attempt that the node does not hold, two syncs long', async () => {
    const held = await world.running(one);
    await sync();
    expect(await status(held.run)).toBe('running');
    await world.clock.advance(60 * second);
    await sync();
    expect(world.events('RunLost')[0]?.event.data).toMatchObject({ attempt: 1, code: 'not-held' });
  });
  it('of an agent that was installed anew gives up at once what the former one held', async () => {
    const { run } = await world.running(one);
    await world.clock.advance(second);
    const enrolledAt = world.clock.now();
    expect(await sync()).toMatchObject({ status: 'ok' });
    expect(await status(run)).toBe('running');
    world.nodes.set(nodeA, { ...world.nodes.get(nodeA)!, enrolledAt });
    const anew = { id: 's', instance: 'i2', held: [], reporting: [] };
    world.instancesHeard.add('i1');
    await one.sync.answer(nodeA, anew);
    expect(await status(run), 'the agent that holds it lives; the other one is a clone').toBe('running');
    world.instancesHeard.delete('i1');
    await one.sync.answer(nodeA, anew);
    expect(world.events('RunLost')[0]?.event.data).toMatchObject({ code: 'not-held' });
  });
  it('counts only syncs in a row', async () => {
    const held = await world.running(one);
    await sync();
    await world.clock.advance(60 * second);
    await sync([held]);
    await sync();
    expect(world.events('RunLost')).toEqual([]);
  });
  it('does not give up an attempt whose report waits to be decided', async () => {
    const held = await world.running(one);
    world.reportsWaiting.add(`${nodeA}.${held.run}.1.${held.claim}`);
    await sync();
    await world.clock.advance(60 * second);
    await sync();
    expect(world.events('RunLost')).toEqual([]);
  });
  it('asks again for a report that never arrived', async () => {
    const held = await world.running(one);
    const answer = await one.sync.answer(nodeA, { id: 's', instance: 'i1', held: [], reporting: [held] });
    expect(answer).toMatchObject({ value: { reportAgain: [{ run: held.run }] } });
  });
  it('tells a node again to stop what is to be cancelled', async () => {
    const held = await world.running(one);
    await one.decide(held.run, { type: 'CancelRun' });
    expect(await sync([held])).toMatchObject({ value: { stop: [{ run: held.run }] } });
  });
});

describe('grants', () => {
  const sha256 = 'd'.repeat(64);
  const ask = async (held: object, object: object) => one.grants.answer(nodeA, { id: 'g', holder: held as never, objects: [object as never] });
  const write = (name: string, size = 100) => ({ access: 'write', name, size, sha256 });
  it('are for objects of the format whose name ends in the hash, and for nothing else', async () => {
    const held = await world.running(one);
    expect(await ask(held, write(`packs/dd/${sha256}`))).toMatchObject({ status: 'ok', value: { grants: [{ method: 'PUT', name: `packs/dd/${sha256}` }] } });
    for (const name of [`packs/aa/aa${'d'.repeat(62)}`, `indexes/${sha256}`, '../x', `packs/../${sha256}`, `snapshots/snap_x/${sha256}`, 'config']) {
      expect(await ask(held, write(name)), name).toMatchObject({ status: 'refused', code: 'grant-refused' });
    }
    expect(await ask(held, write(`packs/dd/${sha256}`, 1e9))).toMatchObject({ code: 'grant-refused' });
  });
  it('of a backup read nothing', async () => {
    const held = await world.running(one);
    expect(await ask(held, { access: 'read', name: `packs/dd/${sha256}` })).toMatchObject({ code: 'grant-refused' });
    expect(await ask(held, { access: 'read', name: `indexes/${sha256}` })).toMatchObject({ code: 'grant-refused' });
  });
  it('of a backup may read the list of what a prune has condemned, and no other', () => {
    const holder = { run: { order: { plan: { kind: 'backup' } } }, attempt: {} } as never;
    const read = (name: string) => grantFault(holder, { access: 'read', name }, `indexes/${sha256}`);
    expect(read(`indexes/${sha256}`)).toBeUndefined();
    expect(read(`indexes/${'e'.repeat(64)}`)).toMatchObject({ code: 'grant-refused' });
  });
  it('packs are named to a restore only, and only those that it needs', async () => {
    const held = await world.running(one);
    expect(await one.catalog.packs(nodeA, { id: 'p', holder: held })).toMatchObject({ status: 'refused', code: 'not-a-restore' });
  });
  it('give repository.json once', async () => {
    const held = await world.running(one);
    expect(await ask(held, write('repository.json'))).toMatchObject({ status: 'ok' });
    expect(await ask(held, write('repository.json'))).toMatchObject({ status: 'ok' });
    expect(await ask(held, { ...write('repository.json'), sha256: 'e'.repeat(64) })).toMatchObject({ status: 'refused', code: 'repository-exists' });
    expect(world.events('RepositoryStarted')).toHaveLength(1);
  });
});

describe('cancelling', () => {
  it('reminds a silent agent, and gives the attempt up after a while', async () => {
    const held = await world.running(one);
    await one.decide(held.run, { type: 'CancelRun' });
    await one.supervision.pass();
    expect(world.sent.at(-1)).toMatchObject({ verb: 'stop', run: held.run, attempt: 1 });
    world.nodes.set(nodeA, { ...world.nodes.get(nodeA)!, online: false, offlineSince: world.clock.now() });
    await world.clock.advance(301 * second);
    await two.supervision.pass();
    expect(await status(held.run)).toBe('lost');
  });
});

describe('a master that died at work', () => {
  it('has its run given up and tried again', async () => {
    const prune = world.ids.next('run');
    const plan = { kind: 'prune', ofNode: nodeA, dryRun: false } as const;
    await one.deciding.execute('user:test', (unit) => one.requests.duty(unit, { id: prune, plan, target: targetA, cause: 'duty' }));
    await one.dispatch.dispatch(prune, 'node_control');
    world.executorsAlive.add('master-1');
    await one.claims.claim('node_control', { run: prune, attempt: 1, instance: 'master-1' });
    await two.supervision.pass();
    expect(await status(prune)).toBe('running');
    world.executorsAlive.delete('master-1');
    await two.supervision.pass();
    expect(await status(prune)).toBe('queued');
    expect(world.types('repository')).toEqual(['LeaseTaken', 'LeaseReleased']);
  });
});

it('a second agent that speaks as the node may not claim', async () => {
  world.nodes.set(nodeA, { ...world.nodes.get(nodeA)!, instance: 'i1' });
  const run = await world.request(one);
  await one.dispatch.dispatch(run, nodeA);
  expect(await one.claims.answer(nodeA, { id: 'a', run, attempt: 1, instance: 'i2' })).toMatchObject({ status: 'refused', code: 'other-instance', retryable: true });
  expect(await one.claims.answer(nodeA, { id: 'a', run, attempt: 1, instance: 'i1' })).toMatchObject({ status: 'ok' });
});

it('a task that is not there is not started', async () => {
  const id = world.ids.next('run');
  const made = await one.deciding.execute('user:test', (unit) => one.requests.ofTask(unit, { id, task: taskA, node: nodeA, cause: 'user', now: one.deciding.now() }));
  expect(made).toMatchObject({ ok: false, error: { code: 'task-not-found' } });
});
