import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunReport } from '#contracts';
import { FakeClock, fault } from '#kernel';
import { stop } from '../commands/stop.command.ts';
import { acceptWork } from '../commands/accept-work.ts';
import type { RunCommand } from '../commands/command-context.ts';
import { backupSpecification, endless, grantedClaim, runId, scratch, succeeded, workbench } from '../testing.ts';

const run = runId(1);
const command = (verb: RunCommand['verb'], attempt = 1): RunCommand => ({ protocol: 1, node: 'node_x', run, attempt, verb, issuedAt: '' });
const restoreSpecification = {
  kind: 'restore', time: '', fromNode: 'n', target: 'target_1', snapshot: 's', snapshotObject: 'snapshots/s/0', destination: '/tmp/x',
  mode: 'always', deleteExtraneous: false, dryRun: false, sealedKeys: 'c2VhbGVk',
};

let clock: FakeClock;
let room: ReturnType<typeof scratch>;
let bench: ReturnType<typeof workbench>;
beforeEach(() => {
  clock = new FakeClock();
  room = scratch();
  bench = workbench(room.dir, { clock });
});
afterEach(async () => {
  await bench.scheduler.drain();
  bench.database.close();
  room.remove();
});

const settle = async (): Promise<void> => { for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve)); };
const statusOf = (attempt = 1) => bench.journal.get({ run, attempt })?.state.status;
const claimsGranted = (specification?: unknown): void => {
  bench.ask.script = (method, { id, attempt }) =>
    method === 'claim' ? { id, status: 'ok', value: grantedClaim(`claim-${attempt as number}`, specification) } : { id, status: 'stop', code: 'fenced', detail: '' };
};
const reportOf = (): RunReport[] => bench.outbox.heads().map((entry) => JSON.parse(entry.body) as RunReport);
/** The process dies and another one opens the same state directory. */
const reopen = async (): Promise<void> => {
  await bench.scheduler.drain();
  bench.database.close();
  bench = workbench(room.dir, { clock });
};

describe('an attempt', () => {
  it('is claimed, worked on, reported, sent and done', async () => {
    claimsGranted();
    acceptWork(command('backup'), bench.context);
    await settle();
    expect(statusOf()).toBe('reported');
    expect(reportOf()).toEqual([{ protocol: 1, attempt: 1, claim: 'claim-1', ...succeeded }]);
    await bench.sender.pass();
    expect(statusOf()).toBe('done');
    expect([...bench.reports.reports.keys()]).toEqual([`${run}.1.claim-1.report`]);
  });

  it('redelivered a thousand times, before and after it is done, is worked on once', async () => {
    claimsGranted();
    for (let i = 0; i < 1000; i++) acceptWork(command('backup'), bench.context);
    await settle();
    await bench.sender.pass();
    for (let i = 0; i < 1000; i++) acceptWork(command('backup'), bench.context);
    await settle();
    expect(bench.dataPlane.orders).toHaveLength(1);
    expect(bench.reports.reports.size).toBe(1);
  });

  it('that the master calls stale is forgotten and never worked on', async () => {
    bench.ask.script = (_, { id }) => ({ id, status: 'stale', code: 'attempt-stale', detail: '' });
    acceptWork(command('backup'), bench.context);
    await settle();
    expect(statusOf()).toBe('forgotten');
    expect([bench.dataPlane.orders.length, bench.outbox.heads().length]).toEqual([0, 0]);
  });

  it('asks for its claim again, under the same question id, until a master answers', async () => {
    acceptWork(command('backup'), bench.context);
    await settle();
    await clock.advance(60_000);
    expect(bench.ask.asked.length).toBeGreaterThan(3);
    expect(new Set(bench.ask.asked.map(({ question }) => question.id)).size).toBe(1);
    claimsGranted();
    await clock.advance(60_000);
    await settle();
    expect(statusOf()).toBe('reported');
  });

  it('with a specification that is not one is reported as failed and touches nothing', async () => {
    claimsGranted({ ...backupSpecification(), source: { type: 'files', paths: ['relative'] } });
    acceptWork(command('backup'), bench.context);
    await settle();
    expect(reportOf()[0]).toMatchObject({ outcome: 'failed', code: 'invalid-message' });
    expect(bench.dataPlane.orders).toHaveLength(0);
  });

  it('whose grant is answered "stop" ends and reports nothing', async () => {
    claimsGranted();
    bench.dataPlane.script = async (_, hooks) => { await hooks.grants([{ access: 'read', name: 'x' }]); return succeeded; };
    acceptWork(command('backup'), bench.context);
    await settle();
    expect(bench.journal.get({ run, attempt: 1 })?.state).toEqual({ status: 'forgotten', reason: 'fenced' });
    expect(bench.outbox.heads()).toEqual([]);
  });

  it('that takes longer than its limit is ended and says so', async () => {
    claimsGranted();
    bench.dataPlane.script = endless;
    acceptWork(command('backup'), bench.context);
    await settle();
    await clock.advance(3_600_000);
    await settle();
    expect(reportOf()[0]).toMatchObject({ outcome: 'timed-out', code: 'timed-out' });
  });

  it('that fails tells the code and the sentence of the error', async () => {
    claimsGranted();
    bench.dataPlane.script = () => Promise.reject(fault('refused', 'target-full', 'Make room in the target'));
    acceptWork(command('backup'), bench.context);
    await settle();
    expect(reportOf()[0]).toMatchObject({ outcome: 'failed', code: 'target-full', detail: 'Make room in the target' });
  });

  it('of a kind that agents do not do is reported as failed, so that nobody waits for it', async () => {
    claimsGranted();
    acceptWork(command('prune'), bench.context);
    await settle();
    expect(reportOf()[0]).toMatchObject({ outcome: 'failed', code: 'verb-not-supported' });
  });
});

describe('a stop', () => {
  it('ends running work and is confirmed by the report', async () => {
    claimsGranted();
    bench.dataPlane.script = endless;
    acceptWork(command('backup'), bench.context);
    await settle();
    stop(command('stop'), bench.context);
    await settle();
    expect(reportOf()[0]).toMatchObject({ outcome: 'cancelled', claim: 'claim-1' });
  });

  it('that overtakes the order to work keeps it from starting', async () => {
    claimsGranted();
    stop(command('stop'), bench.context);
    acceptWork(command('backup'), bench.context);
    await settle();
    expect(bench.dataPlane.orders).toHaveLength(0);
    expect(reportOf()[0]).toMatchObject({ outcome: 'cancelled' });
  });

  it('while the claim is being asked is confirmed under that claim', async () => {
    acceptWork(command('backup'), bench.context);
    await settle();
    stop(command('stop'), bench.context);
    claimsGranted();
    await clock.advance(60_000);
    await settle();
    expect(bench.dataPlane.orders).toHaveLength(0);
    expect(reportOf()[0]).toMatchObject({ outcome: 'cancelled' });
  });

  it('that comes too late does not unmake a success', async () => {
    claimsGranted();
    acceptWork(command('backup'), bench.context);
    await settle();
    stop(command('stop'), bench.context);
    await settle();
    expect(reportOf()).toEqual([expect.objectContaining({ outcome: 'succeeded' })]);
  });
});

describe('a higher attempt', () => {
  it('ends the lower one, which reports nothing, before it starts', async () => {
    claimsGranted();
    let alive = 0;
    let most = 0;
    bench.dataPlane.script = async (order, hooks, signal) => {
      most = Math.max(most, ++alive);
      try {
        return await (order.attempt === 1 ? endless(order, hooks, signal) : Promise.resolve(succeeded));
      } finally {
        alive -= 1;
      }
    };
    acceptWork(command('backup', 1), bench.context);
    await settle();
    acceptWork(command('backup', 2), bench.context);
    await settle();
    expect([statusOf(1), statusOf(2), most]).toEqual(['forgotten', 'reported', 1]);
    expect(reportOf()).toEqual([expect.objectContaining({ attempt: 2 })]);
  });

  it('makes a lower one that comes later void', async () => {
    claimsGranted();
    acceptWork(command('backup', 2), bench.context);
    acceptWork(command('backup', 1), bench.context);
    await settle();
    expect(statusOf(1)).toBe('forgotten');
    expect(bench.dataPlane.orders.map(({ attempt }) => attempt)).toEqual([2]);
  });
});

describe('a restart of the agent', () => {
  it('goes on with a backup under the same claim and starts its data plane anew', async () => {
    claimsGranted();
    bench.dataPlane.script = endless;
    acceptWork(command('backup'), bench.context);
    await settle();
    await reopen();
    claimsGranted();
    bench.resume();
    await settle();
    expect(bench.dataPlane.orders).toHaveLength(1);
    expect(reportOf()).toEqual([expect.objectContaining({ outcome: 'succeeded', claim: 'claim-1' })]);
  });

  it('counts the time limit from the first claim', async () => {
    claimsGranted();
    bench.dataPlane.script = endless;
    acceptWork(command('backup'), bench.context);
    await settle();
    await clock.advance(3_000_000);
    await reopen();
    claimsGranted();
    bench.dataPlane.script = endless;
    bench.resume();
    await settle();
    await clock.advance(600_000);
    await settle();
    expect(reportOf()[0]).toMatchObject({ outcome: 'timed-out', code: 'timed-out' });
  });

  it('does not repeat a restore that had begun: it says that it was interrupted', async () => {
    claimsGranted(restoreSpecification);
    bench.dataPlane.script = endless;
    acceptWork(command('restore'), bench.context);
    await settle();
    expect(bench.dataPlane.orders).toHaveLength(1);
    await reopen();
    claimsGranted(restoreSpecification);
    bench.resume();
    await settle();
    expect(bench.dataPlane.orders).toHaveLength(0);
    expect(reportOf()[0]).toMatchObject({ outcome: 'failed', code: 'agent-restarted' });
  });

  it('whose claim has been fenced meanwhile works on nothing', async () => {
    claimsGranted();
    bench.dataPlane.script = endless;
    acceptWork(command('backup'), bench.context);
    await settle();
    await reopen();
    bench.ask.script = (_, { id }) => ({ id, status: 'stop', code: 'fenced', detail: '' });
    bench.resume();
    await settle();
    expect([statusOf(), bench.dataPlane.orders.length]).toEqual(['forgotten', 0]);
  });
});
