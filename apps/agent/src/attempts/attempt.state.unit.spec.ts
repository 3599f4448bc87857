import { describe, expect, it } from 'vitest';
import { type AttemptChange, type AttemptState, changeAttempt, isOpen, isOver, nextStep } from './attempt.state.ts';

const claim = { claim: 'c1', claimedAt: 5 };
const states: Record<AttemptState['status'], AttemptState> = {
  accepted: { status: 'accepted' },
  claimed: { status: 'claimed', ...claim },
  running: { status: 'running', ...claim },
  reported: { status: 'reported', claim: 'c1', outcome: 'succeeded' },
  done: { status: 'done', claim: 'c1' },
  forgotten: { status: 'forgotten', reason: 'stale' },
};
const changes: Record<AttemptChange['type'], AttemptChange> = {
  claimed: { type: 'claimed', claim: 'c1', at: 9 },
  started: { type: 'started' },
  reported: { type: 'reported', outcome: 'failed' },
  acknowledged: { type: 'acknowledged' },
  forgotten: { type: 'forgotten', reason: 'fenced' },
};
/** Every state, every change: what becomes of it, or nothing. */
const table: Record<AttemptState['status'], Partial<Record<AttemptChange['type'], AttemptState['status']>>> = {
  accepted: { claimed: 'claimed', forgotten: 'forgotten' },
  claimed: { claimed: 'claimed', started: 'running', reported: 'reported', forgotten: 'forgotten' },
  running: { claimed: 'running', started: 'running', reported: 'reported', forgotten: 'forgotten' },
  reported: { acknowledged: 'done' },
  done: { acknowledged: 'done' },
  forgotten: {},
};
const cases = Object.values(states).flatMap((state) => Object.values(changes).map((change) => ({ state, change, to: table[state.status][change.type] })));

describe('the state of an attempt', () => {
  it.each(cases)('$state.status + $change.type -> $to', ({ state, change, to }) => {
    const next = changeAttempt(state, change);
    expect(next.ok ? next.value.status : undefined).toBe(to);
    if (!next.ok) expect(next.error.code).toBe('impossible-attempt-change');
  });

  it('an attempt claimed again under the same claim keeps its beginning, under another one begins anew', () => {
    expect(changeAttempt(states.running, changes.claimed)).toEqual({ ok: true, value: states.running });
    expect(changeAttempt(states.running, { type: 'claimed', claim: 'c2', at: 9 }))
      .toEqual({ ok: true, value: { status: 'claimed', claim: 'c2', claimedAt: 9 } });
  });

  it('is open or has a report or is over, and never two of these', () => {
    for (const state of Object.values(states)) expect([isOpen(state), state.status === 'reported', isOver(state)].filter(Boolean)).toHaveLength(1);
  });
});

describe('what follows a claim', () => {
  it.each([
    ['backup', states.claimed, false, 'work'],
    ['backup', states.running, false, 'work'],
    ['restore', states.claimed, false, 'work'],
    ['restore', states.running, false, 'report-interrupted'],
    ['restore', states.running, true, 'report-cancelled'],
    ['backup', states.claimed, true, 'report-cancelled'],
    ['verify', states.claimed, false, 'report-unsupported'],
    ['prune', states.claimed, false, 'report-unsupported'],
  ] as const)('%s that is %j, stop ordered: %s -> %s', (verb, state, stopped, step) => {
    expect(nextStep(verb, state, stopped)).toBe(step);
  });
});
