import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunCommand, ReportRun } from './run.commands.ts';
import { runDecider } from './run.decide.ts';
import type { RunEvent } from './run.events.ts';
import type { RunOrder, SnapshotFacts } from './run.plan.ts';
import { isActive, isEnded, type RunState } from './run.state.ts';

const t = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const order: RunOrder = {
  plan: { kind: 'backup', source: { type: 'files', paths: ['/srv'] } },
  node: 'node_a', target: 'target_a', repository: 'repo_a', task: 'task_a', cause: 'user', timeoutSeconds: 3600,
  retries: { max: 1, delaySeconds: 60 },
};
const restore: RunOrder = {
  ...order,
  plan: {
    kind: 'restore', fromNode: 'node_a', snapshotRun: 'run_z', snapshot: 'snap_z', snapshotObject: 'snapshots/snap_z/aa', destination: '/tmp/x',
    mode: 'always', deleteExtraneous: false, dryRun: false,
  },
};
const snapshot: SnapshotFacts = {
  snapshot: 'snap_1', object: 'snapshots/snap_1/aa', size: 10, repositoryId: 'a'.repeat(32), idKeyId: 'b'.repeat(32), keys: [], packs: 1,
};
const fold = (events: readonly RunEvent[]): RunState => events.reduce(runDecider.evolve, runDecider.initialState);
const run = (state: RunState, ...commands: RunCommand[]): RunState =>
  commands.reduce((now, command) => {
    const decided = runDecider.decide(command, now);
    if (!decided.ok) throw new Error(decided.error.code);
    return decided.value.reduce(runDecider.evolve, now);
  }, state);
const types = (state: RunState, command: RunCommand): string[] => {
  const decided = runDecider.decide(command, state);
  return decided.ok ? decided.value.map((event) => event.type) : [decided.error.code];
};

const request: RunCommand = { type: 'RequestRun', order };
const dispatch = (now = 0): RunCommand => ({ type: 'DispatchRun', now: t(now), deadline: t(now + 60) });
const claim = (attempt = 1, instance = 'i1'): RunCommand =>
  ({ type: 'ClaimRun', node: 'node_a', attempt, instance, claim: `claim_${attempt}_${instance}`, snapshot: `snap_${attempt}`, now: t(1), generation: 0 });
const report = (change: Partial<ReportRun> = {}): ReportRun => ({
  type: 'ReportRun', node: 'node_a', attempt: 1, claim: 'claim_1_i1', outcome: 'succeeded', faults: [], faultCount: 0, now: t(100), snapshot, ...change,
});
const lose = (attempt = 1): RunCommand => ({ type: 'LoseRun', attempt, now: t(50), code: 'not-held', detail: 'gone' });
const giveBack = (attempt: number, now = 70): RunCommand => ({ type: 'ReturnRun', attempt, code: 'not-claimed', detail: '', online: true, now: t(now) });
const failed = (change: Partial<ReportRun> = {}): RunCommand => {
  const { snapshot: _, ...rest } = report({ outcome: 'failed', reason: { code: 'x', detail: 'y' }, ...change });
  return rest;
};

const initial = runDecider.initialState;
const queued = run(initial, request);
const dispatched = run(queued, dispatch());
const running = run(dispatched, claim());
const lostThenRetried = run(running, lose());

describe('a run', () => {
  it('is made once, however often it is requested', () => {
    expect(types(queued, request)).toEqual([]);
    expect(types(running, request)).toEqual([]);
  });
  it('that a policy skips ends at once and says why', () => {
    const state = run(initial, { type: 'RequestRun', order, skip: { code: 'overlap', detail: 'still running' } });
    expect(state).toMatchObject({ status: 'skipped', attempts: [] });
  });
  it('gets a new attempt number with every dispatch, so that an old command is stale', () => {
    const again = run(dispatched, giveBack(1), dispatch(70));
    expect(again).toMatchObject({ status: 'dispatched', attempts: [{ number: 1, status: 'returned' }, { number: 2 }] });
    expect(types(again, claim(1))).toEqual(['claim-stale']);
    expect(types(again, claim(2))).toEqual(['RunStarted']);
  });
  it('is not returned to the queue once it is claimed', () => {
    expect(types(running, giveBack(1))).toEqual([]);
  });
  it('is given up when an agent that is there has not claimed it for as long as it may wait, a day where nothing is said; not where it may wait for ever', () => {
    const waiting = (away?: RunOrder['away']): RunState => run(initial, { type: 'RequestRun', order: away ? { ...order, away } : order }, dispatch());
    const bounded = waiting({ rule: 'wait', since: t(0), seconds: 600 });
    expect([types(bounded, giveBack(1, 599)), types(bounded, giveBack(1, 600))]).toEqual([['RunReturned'], ['RunReturned', 'RunGivenUp']]);
    expect(types(bounded, { type: 'ReturnRun', attempt: 1, code: 'node-offline', detail: '', online: false, now: t(600) })).toEqual(['RunReturned']);
    const skipping = waiting({ rule: 'skip', since: t(0) });
    expect([types(skipping, giveBack(1, 86_399)), types(skipping, giveBack(1, 86_400))]).toEqual([['RunReturned'], ['RunReturned', 'RunGivenUp']]);
    expect(types(waiting(), giveBack(1, 90 * 86_400))).toEqual(['RunReturned']);
  });
  it('succeeds with its snapshot in one decision', () => {
    expect(types(running, report())).toEqual(['SnapshotRecorded', 'RunSucceeded']);
  });
  it('is partial when sources were unreadable, and still has its snapshot', () => {
    expect(run(running, report({ outcome: 'partial' }))).toMatchObject({ status: 'partial', snapshot: 'snap_1' });
  });
  it('does not succeed without an admitted snapshot', () => {
    const { snapshot: _, ...without } = report();
    expect(types(running, without)).toEqual(['snapshot-missing']);
    expect(types(running, report({ snapshot: { ...snapshot, snapshot: 'snap_9' } }))).toEqual(['wrong-snapshot']);
  });
});

describe('a claim', () => {
  it('repeated by the same instance changes nothing and is not refused', () => {
    expect(types(running, { ...claim(), claim: 'claim_other' } as RunCommand)).toEqual([]);
  });
  it('of another instance, node or attempt is stale', () => {
    expect(types(running, claim(1, 'i2'))).toEqual(['claim-stale']);
    expect(types(dispatched, { ...claim(), node: 'node_b' } as RunCommand)).toEqual(['claim-stale']);
    expect(types(dispatched, claim(2))).toEqual(['claim-stale']);
    expect(types(queued, claim(1))).toEqual(['claim-stale']);
  });
  it('after the end is stale', () => {
    expect(types(run(running, report()), claim())).toEqual(['claim-stale']);
  });
});

describe('a fenced attempt cannot change a run', () => {
  it('when it was lost and says that it failed', () => {
    expect(types(lostThenRetried, failed())).toEqual(['attempt-fenced']);
  });
  it('when its claim is not the one recorded', () => {
    expect(types(running, report({ claim: 'claim_1_i2' }))).toEqual(['attempt-fenced']);
  });
  it('when the report comes under another node\'s name', () => {
    expect(types(running, report({ node: 'node_b' }))).toEqual(['not-your-run']);
  });
  it('when it ended otherwise before', () => {
    expect(types(run(running, failed()), report())).toEqual(['attempt-fenced']);
  });
  it('when the run was cancelled while the attempt was given up', () => {
    const cancelled = run(lostThenRetried, { type: 'CancelRun' });
    expect(types(cancelled, report())).toEqual(['attempt-fenced']);
  });
});

describe('a late success', () => {
  it('of a lost attempt whose snapshot is durable is recorded as such', () => {
    const decided = runDecider.decide(report(), lostThenRetried);
    expect(decided).toMatchObject({ ok: true, value: [{ type: 'SnapshotRecorded', data: { late: true } }, { type: 'RunSucceeded', data: { late: true } }] });
  });
  it('supersedes the attempt that came after, which is fenced from then on', () => {
    const second = run(lostThenRetried, dispatch(200), claim(2));
    const state = run(second, report());
    expect(state).toMatchObject({ status: 'succeeded', snapshot: 'snap_1', attempts: [{ status: 'succeeded' }, { status: 'superseded' }] });
    expect(types(state, report({ attempt: 2, claim: 'claim_2_i1', snapshot: { ...snapshot, snapshot: 'snap_2' } }))).toEqual(['attempt-fenced']);
  });
  it('does not count when the run has a snapshot already: at most one a run', () => {
    const done = run(lostThenRetried, dispatch(200), claim(2), report({ attempt: 2, claim: 'claim_2_i1', snapshot: { ...snapshot, snapshot: 'snap_2' } }));
    expect(types(done, report())).toEqual(['attempt-fenced']);
  });
  it('is not for restores', () => {
    const lost = run(initial, { type: 'RequestRun', order: restore }, dispatch(), claim(), lose());
    expect(lost.status).toBe('lost');
    const { snapshot: _, ...without } = report();
    expect(types(lost, without)).toEqual(['attempt-fenced']);
  });
});

describe('a report', () => {
  it('repeated changes nothing', () => {
    expect(types(run(running, report()), report())).toEqual([]);
  });
  it('of a failure is followed by another attempt until the policy is used up', () => {
    expect(types(running, failed())).toEqual(['RunFailed', 'RunRetried']);
    const second = run(run(running, failed()), dispatch(1000), claim(2));
    expect(types(second, failed({ attempt: 2, claim: 'claim_2_i1' }))).toEqual(['RunFailed']);
  });
  it('waits before the next attempt', () => {
    expect(types(run(running, failed()), dispatch(101))).toEqual(['run-not-due']);
    expect(types(run(running, failed()), dispatch(160))).toEqual(['RunDispatched']);
  });
  it('of a failed restore is never followed by another attempt', () => {
    const state = run(initial, { type: 'RequestRun', order: restore }, dispatch(), claim());
    expect(types(state, failed())).toEqual(['RunFailed']);
  });
});

describe('cancelling', () => {
  it('a queued or unclaimed run is immediate', () => {
    expect(types(queued, { type: 'CancelRun' })).toEqual(['RunCancelled']);
    expect(types(dispatched, { type: 'CancelRun' })).toEqual(['RunCancelled']);
    expect(types(run(dispatched, { type: 'CancelRun' }), claim())).toEqual(['claim-stale']);
  });
  it('a running one waits for the agent to confirm', () => {
    const asked = run(running, { type: 'CancelRun' });
    expect(asked.status).toBe('cancel-requested');
    const { snapshot: _, ...rest } = report({ outcome: 'cancelled' });
    expect(types(asked, rest)).toEqual(['RunCancelled']);
  });
  it('one that finishes first is a success, which is what happened', () => {
    expect(run(running, { type: 'CancelRun' }, report()).status).toBe('succeeded');
  });
  it('one whose node is gone ends as lost and is not retried', () => {
    expect(types(run(running, { type: 'CancelRun' }), lose())).toEqual(['RunLost']);
  });
  it('an ended one is refused, and cancelling twice is not', () => {
    expect(types(run(running, report()), { type: 'CancelRun' })).toEqual(['run-ended']);
    expect(types(run(queued, { type: 'CancelRun' }), { type: 'CancelRun' })).toEqual([]);
  });
});

describe('giving up', () => {
  it('a timeout is judged by the master\'s clock and tried again', () => {
    expect(types(running, { type: 'TimeOutRun', attempt: 1, now: t(3600) })).toEqual([]);
    expect(types(running, { type: 'TimeOutRun', attempt: 1, now: t(3601) })).toEqual(['RunTimedOut', 'RunRetried']);
  });
  it('for its time limit ends the attempt as timed out, whoever notices first, and once', () => {
    const { snapshot: _, ...timedOut } = report({ outcome: 'timed-out', reason: { code: 'timed-out', detail: '' } });
    const byMaster: RunCommand = { type: 'TimeOutRun', attempt: 1, now: t(3601) };
    expect(types(running, timedOut)).toEqual(['RunTimedOut', 'RunRetried']);
    expect(run(running, timedOut)).toMatchObject({ status: 'queued', attempts: [{ status: 'timed-out' }] });
    for (const first of [timedOut, byMaster]) for (const second of [timedOut, byMaster]) expect(types(run(running, first), second)).toEqual([]);
    const asked = run(initial, { type: 'RequestRun', order: restore }, dispatch(), claim());
    expect(run(asked, timedOut).status).toBe('timed-out');
  });
  it('says nothing of an attempt that has ended meanwhile', () => {
    expect(types(run(running, report()), lose())).toEqual([]);
    expect(types(lostThenRetried, lose())).toEqual([]);
  });
});

describe('retrying by hand', () => {
  it('is for runs that ended without a result', () => {
    const ended = run(initial, { type: 'RequestRun', order: restore }, dispatch(), claim(), lose());
    expect(types(ended, { type: 'RetryRun', now: t(60) })).toEqual(['RunRetried']);
    expect(types(running, { type: 'RetryRun', now: t(60) })).toEqual(['run-not-ended']);
    expect(types(run(running, report()), { type: 'RetryRun', now: t(60) })).toEqual(['run-has-result']);
  });
});

describe('whatever happens in whatever order', () => {
  const attempts = fc.integer({ min: 1, max: 3 });
  const anything: fc.Arbitrary<RunCommand> = fc.oneof(
    fc.constant(request), fc.nat(5000).map(dispatch), fc.tuple(attempts, fc.constantFrom('i1', 'i2')).map(([a, i]) => claim(a, i)),
    attempts.map(lose), fc.constant<RunCommand>({ type: 'CancelRun' }), fc.constant<RunCommand>({ type: 'RetryRun', now: t(4000) }),
    attempts.map((attempt) => giveBack(attempt)),
    attempts.map((attempt): RunCommand => ({ type: 'TimeOutRun', attempt, now: t(9000) })),
    fc.tuple(attempts, fc.constantFrom('i1', 'i2'), fc.constantFrom('succeeded', 'partial', 'failed', 'timed-out', 'cancelled', 'skipped')).map(([attempt, i, outcome]) =>
      report({ attempt, claim: `claim_${attempt}_${i}`, outcome: outcome, snapshot: { ...snapshot, snapshot: `snap_${attempt}` } })),
  );
  it('at most one claim is live, at most one snapshot is recorded, and states follow from events alone', () => {
    fc.assert(fc.property(fc.array(anything, { maxLength: 60 }), (commands) => {
      const events: RunEvent[] = [];
      let state: RunState = initial;
      for (const command of commands) {
        const decided = runDecider.decide(command, state);
        if (!decided.ok) continue;
        events.push(...decided.value);
        state = decided.value.reduce(runDecider.evolve, state);
        if (state.status === 'absent') continue;
        const live = state.attempts.filter((a) => a.status === 'running' || a.status === 'dispatched');
        expect(live.length).toBe(isActive(state) ? 1 : 0);
        if (isEnded(state)) expect(live).toEqual([]);
      }
      expect(events.filter((event) => event.type === 'SnapshotRecorded').length).toBeLessThanOrEqual(1);
      expect(fold(events)).toEqual(state);
    }), { numRuns: 300 });
  });
});
