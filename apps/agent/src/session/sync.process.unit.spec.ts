import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClaimReference, type SelfAnswer } from '#contracts';
import { FakeClock, fault, silentLogger } from '#kernel';
import { waitUntil } from '#testing';
import { acceptWork } from '../commands/accept-work.ts';
import { endless, grantedClaim, runId, scratch, succeeded, workbench } from '../testing.ts';
import { SyncProcess } from './sync.process.ts';

const self: SelfAnswer = { node: 'n', name: 'host', slots: 3, drained: false, masterVersion: '1', commandKeys: [] };
const signal = new AbortController().signal;
let clock: FakeClock;
let room: ReturnType<typeof scratch>;
let bench: ReturnType<typeof workbench>;
let sync: SyncProcess;
let stop: ClaimReference[];
let reportAgain: ClaimReference[];
let selves: SelfAnswer[];

beforeEach(() => {
  clock = new FakeClock();
  room = scratch();
  bench = workbench(room.dir, { clock });
  [stop, reportAgain, selves] = [[], [], []];
  const { ask, journal, outbox, scheduler } = bench;
  sync = new SyncProcess({
    ask, journal, outbox, scheduler, clock, logger: silentLogger, instance: 'inst_1', host: { hostname: 'host', platform: 'linux', arch: 'x64', agentVersion: '1' }, upgrade: () => undefined, onSynced: () => undefined,
    onSelf: (answer) => selves.push(answer), resume: () => bench.resume(), onReport: () => bench.sender.wake(),
  });
  ask.script = (method, { id, attempt }) => {
    if (method === 'self') return { id, status: 'ok', value: self };
    if (method === 'sync') return { id, status: 'ok', value: { stop, reportAgain } };
    return { id, status: 'ok', value: grantedClaim(`c${attempt as number}`) };
  };
});
afterEach(async () => {
  await bench.scheduler.drain();
  bench.database.close();
  room.remove();
});

const accept = (run: number): void => acceptWork({ protocol: 1, node: 'n', run: runId(run), attempt: 1, verb: 'backup', issuedAt: '' }, bench.context);
const statusOf = (run: number) => bench.journal.get({ run: runId(run), attempt: 1 })?.state.status;
const lastSync = () => bench.ask.asked.filter(({ method }) => method === 'sync').at(-1)?.question;

describe('sync', () => {
  it('tells what is held and what is reported, by claim', async () => {
    bench.dataPlane.script = (order, hooks, end) => (order.run === runId(1) ? endless(order, hooks, end) : Promise.resolve(succeeded));
    accept(1);
    accept(2);
    await waitUntil(() => statusOf(1) === 'running' && statusOf(2) === 'reported');
    await sync.pass(signal);
    expect(lastSync()).toMatchObject({
      held: [{ run: runId(1), attempt: 1, claim: 'c1' }], reporting: [{ run: runId(2), attempt: 1, claim: 'c1' }],
    });
    await bench.sender.pass();
    await sync.pass(signal);
    expect(lastSync()).toMatchObject({ reporting: [{ run: runId(2), attempt: 1, claim: 'c1' }] });
    await clock.advance(16 * 60_000);
    await sync.pass(signal);
    expect(lastSync()).toMatchObject({ reporting: [] });
  });

  it('ends what a master tells to stop, under that claim only, and says so', async () => {
    bench.dataPlane.script = endless;
    accept(1);
    await waitUntil(() => statusOf(1) === 'running');
    stop = [{ run: runId(1), attempt: 1, claim: 'another' }];
    await sync.pass(signal);
    expect(statusOf(1)).toBe('running');
    stop = [{ run: runId(1), attempt: 1, claim: 'c1' }];
    await sync.pass(signal);
    await waitUntil(() => statusOf(1) === 'reported');
    expect(JSON.parse(bench.outbox.heads()[0]!.body)).toMatchObject({ outcome: 'cancelled' });
  });

  it('sends a report again that REPORTS has lost', async () => {
    accept(1);
    await waitUntil(() => statusOf(1) === 'reported');
    await bench.sender.pass();
    bench.reports.reports.clear();
    reportAgain = [{ run: runId(1), attempt: 1, claim: 'c1' }];
    await sync.pass(signal);
    await bench.sender.pass();
    expect(bench.reports.reports.size).toBe(1);
    expect(statusOf(1)).toBe('done');
  });

  it('takes up an attempt that broke off on a fault of the agent', async () => {
    bench.database.sql.exec("create trigger full before update on attempts begin select raise(abort, 'disk full'); end");
    accept(1);
    await waitUntil(() => bench.ask.asked.length > 0 && bench.scheduler.running === 0);
    expect(statusOf(1)).toBe('accepted');
    bench.database.sql.exec('drop trigger full');
    await sync.pass(signal);
    await waitUntil(() => statusOf(1) === 'reported');
  });

  it('asks every minute, sooner after a failure, and at once after a reconnection', async () => {
    const ending = new AbortController();
    const count = () => bench.ask.asked.filter(({ method }) => method === 'self').length;
    const answers = bench.ask.script;
    const loop = sync.run(ending.signal);
    await waitUntil(() => selves.length === 1 && clock.sleeping === 1);
    await clock.advance(59_000);
    expect(count()).toBe(1);
    await clock.advance(1_000);
    await waitUntil(() => count() === 2 && clock.sleeping === 1);
    bench.ask.script = () => { throw fault('unavailable', 'master-unreachable', 'Away'); };
    sync.wake();
    await waitUntil(() => count() === 3 && clock.sleeping === 1);
    bench.ask.script = answers;
    await clock.advance(2_000);
    await waitUntil(() => count() === 4);
    ending.abort(new Error('end'));
    await loop;
    expect(selves.at(-1)?.slots).toBe(3);
  });
});
