import { describe, expect, it } from 'vitest';
import { deciderSpecification } from '#event-store/testing';
import { parentDecider } from './parent.decide.ts';
import type { ParentOrder, ParentRunEvent } from './parent.events.ts';
import { parentOutcome } from './parent.outcome.ts';
import { type Candidate, choosePlace } from './placing.ts';
import type { TerminalStatus } from './run.state.ts';

const { given } = deciderSpecification(parentDecider);
const since = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T01:00:00.000Z';
const order = (change: Partial<ParentOrder> = {}): ParentOrder => ({
  plan: { kind: 'backup', source: { type: 'files', paths: ['/srv'] } }, selector: { tier: 'db' }, mode: 'all',
  children: [{ run: 'run_a', node: 'node_a' }, { run: 'run_b', node: 'node_b' }], target: 'target_a', task: 'task_a', taskName: 'Nightly', cause: 'user',
  overlap: 'skip', timeoutSeconds: 60, retries: { max: 1, delaySeconds: 1 }, away: { rule: 'wait', since }, ...change,
});
const requested = (change: Partial<ParentOrder> = {}): ParentRunEvent => ({ type: 'ParentRunRequested', data: order(change) });
const any = (change: Partial<ParentOrder> = {}): ParentRunEvent => requested({ mode: 'any', children: [], ...change });
const started = (...runs: string[]): ParentRunEvent => ({ type: 'ChildRunsStarted', data: { runs } });
const placed = (run: string, node: string): ParentRunEvent => ({ type: 'ChildRunPlaced', data: { run, node } });
const cancelling: ParentRunEvent = { type: 'ParentRunCancelRequested', data: {} };
const ended = (status: 'failed' | 'succeeded' | 'partial' | 'cancelled'): ParentRunEvent => ({ type: 'ParentRunEnded', data: { status, counts: {} } });
const end = (statuses: Record<string, TerminalStatus>) => ({ type: 'EndParent', ended: new Map(Object.entries(statuses)) }) as const;
const meet = { type: 'MeetNoPlace', code: 'nodes-offline', detail: 'All are offline', now: later, hopeless: false } as const;

describe('a parent run', () => {
  it('is requested once, whoever asks again', () => {
    given().when({ type: 'RequestParent', order: order() }).then(requested());
    given(requested()).when({ type: 'RequestParent', order: order({ children: [] }) }).then();
  });
  it('begins each child once, and none after a wish to cancel', () => {
    given(requested(), started('run_a')).when({ type: 'StartChildren', runs: ['run_a', 'run_b', 'run_x'] }).then(started('run_b'));
    given(requested(), started('run_a', 'run_b')).when({ type: 'StartChildren', runs: ['run_a'] }).then();
    given(requested(), cancelling).when({ type: 'StartChildren', runs: ['run_a'] }).thenRefused('run-not-waiting');
  });
  it('does not end before all of its children have', () => {
    given(requested(), started('run_a')).when(end({ run_a: 'succeeded' })).then();
    given(requested(), started('run_a', 'run_b')).when(end({ run_a: 'succeeded' })).then();
    given(requested(), started('run_a', 'run_b')).when(end({ run_a: 'succeeded', run_b: 'succeeded' }))
      .then({ type: 'ParentRunEnded', data: { status: 'succeeded', counts: { succeeded: 2 } } });
    given(any()).when(end({})).then();
  });
  it('that is cancelled ends without the children that never began', () => {
    given(requested(), started('run_a'), cancelling).when(end({ run_a: 'succeeded' }))
      .then({ type: 'ParentRunEnded', data: { status: 'cancelled', counts: { 'succeeded': 1, 'not-started': 1 }, code: 'children-cancelled', detail: 'Of 2 run(s): 1 succeeded, 1 not started' } });
    given(any(), cancelling).when(end({})).then({ type: 'ParentRunEnded', data: { status: 'cancelled', counts: {} } });
    given(requested(), ended('failed')).when({ type: 'CancelParent' }).thenRefused('run-ended');
    given(requested(), cancelling).when({ type: 'CancelParent' }).then();
  });
  it('is retried for the children that ended without a result, and for no others', () => {
    given(requested(), started('run_a', 'run_b'), ended('partial')).when({ type: 'RetryParent', runs: ['run_b', 'run_x'], now: later })
      .then({ type: 'ParentRunRetried', data: { runs: ['run_b'], time: later } });
    given(requested(), started('run_a', 'run_b'), ended('partial')).when({ type: 'RetryParent', runs: [], now: later }).thenRefused('run-has-result');
    given(requested(), started('run_a', 'run_b')).when({ type: 'RetryParent', runs: ['run_a'], now: later }).thenRefused('run-not-ended');
    given(any(), placed('run_1', 'node_a'), ended('partial')).when({ type: 'RetryParent', runs: [], now: later }).thenRefused('run-has-result');
    given(any(), placed('run_1', 'node_a'), ended('failed')).when({ type: 'RetryParent', runs: ['run_1'], now: later })
      .thenState((state) => expect(state).toMatchObject({ status: 'open', children: [], placements: 1, order: { away: { since: later } } }));
  });
  it('that was cancelled before some of its children began begins them when it is retried, and not when a child is', () => {
    const history = [requested(), started('run_a'), cancelling, ended('cancelled')];
    given(...history, { type: 'ParentRunReopened', data: { run: 'run_a' } }).when({ type: 'StartChildren', runs: ['run_b'] }).then();
    given(...history, { type: 'ParentRunReopened', data: { run: 'run_a' } }).when(end({ run_a: 'succeeded' }))
      .then({ type: 'ParentRunEnded', data: { status: 'partial', counts: { 'succeeded': 1, 'not-started': 1 }, code: 'children-incomplete', detail: 'Of 2 run(s): 1 succeeded, 1 not started' } });
    given(...history).when({ type: 'RetryParent', runs: ['run_a'], now: later }).then({ type: 'ParentRunRetried', data: { runs: ['run_a', 'run_b'], time: later } });
    given(...history).when({ type: 'RetryParent', runs: [], now: later })
      .thenState((state) => expect(state).toMatchObject({ status: 'open', waiting: ['run_b'], left: [] }));
  });
  it('ends anew when a child that had ended is another one', () => {
    given(requested(), started('run_a', 'run_b'), ended('failed')).when({ type: 'ReviewParent', run: 'run_a', retried: true })
      .thenState((state) => expect(state).toMatchObject({ status: 'open', waiting: [] }));
    given(any(), placed('run_1', 'node_a'), placed('run_2', 'node_b'), ended('failed')).when({ type: 'ReviewParent', run: 'run_1', retried: false }).then();
    given(any(), placed('run_1', 'node_a'), placed('run_2', 'node_b'), ended('failed')).when({ type: 'ReviewParent', run: 'run_1', retried: true }).thenRefused('run-replaced');
  });
});

describe('a parent run for any node', () => {
  it('has one child at a time', () => {
    given(any()).when({ type: 'PlaceChild', run: 'run_1', node: 'node_a' }).then(placed('run_1', 'node_a'));
    given(any(), placed('run_1', 'node_a')).when({ type: 'PlaceChild', run: 'run_2', node: 'node_b' }).thenRefused('run-not-waiting');
    given(any(), placed('run_1', 'node_a')).when({ type: 'PlaceChild', run: 'run_2', node: 'node_b', instead: 'run_1' })
      .then({ type: 'ChildRunPlaced', data: { run: 'run_2', node: 'node_b', instead: 'run_1' } });
    given(any(), cancelling).when({ type: 'PlaceChild', run: 'run_1', node: 'node_a' }).thenRefused('run-not-waiting');
  });
  it('fails at once where no node matches, and otherwise does as the rule of its task says', () => {
    given(any()).when({ ...meet, hopeless: true, code: 'no-node-matches', detail: 'None' })
      .then({ type: 'ParentRunEnded', data: { status: 'failed', counts: {}, code: 'no-node-matches', detail: 'None' } });
    given(any()).when(meet).then();
    given(any({ away: { rule: 'wait', since, seconds: 3601 } })).when(meet).then();
    given(any({ away: { rule: 'wait', since, seconds: 3600 } })).when(meet)
      .thenState((state) => expect(state).toMatchObject({ status: 'failed' }));
    given(any({ away: { rule: 'skip', since } })).when(meet).thenState((state) => expect(state).toMatchObject({ status: 'skipped' }));
    given(any({ away: { rule: 'fail', since } })).when(meet).thenState((state) => expect(state).toMatchObject({ status: 'failed' }));
    given(any({ away: { rule: 'fail', since } }), placed('run_1', 'node_a')).when(meet).then();
  });
});

const outcome = (cancel: boolean, notStarted: number, ...statuses: TerminalStatus[]) => parentOutcome(statuses, { cancelling: cancel, notStarted }).status;

it.each([
  ['succeeded', false, 0, ['succeeded', 'succeeded']],
  ['succeeded', false, 0, ['succeeded', 'skipped']],
  ['partial', false, 0, ['succeeded', 'partial']],
  ['partial', false, 0, ['succeeded', 'failed']],
  ['partial', false, 0, ['succeeded', 'cancelled']],
  ['partial', false, 0, ['failed', 'partial']],
  ['failed', false, 0, ['failed', 'skipped']],
  ['failed', false, 0, ['lost', 'timed-out']],
  ['failed', false, 0, ['failed', 'cancelled']],
  ['cancelled', false, 0, ['cancelled', 'skipped']],
  ['skipped', false, 0, ['skipped', 'skipped']],
  ['cancelled', true, 0, ['succeeded', 'cancelled']],
  ['cancelled', true, 2, ['succeeded']],
  ['succeeded', true, 0, ['succeeded', 'succeeded']],
  ['failed', true, 0, ['failed']],
] as const)('ends as %s (wish to cancel: %s, never begun: %i) with children %s', (expected, cancel, notStarted, statuses) => {
  expect(outcome(cancel, notStarted, ...statuses)).toBe(expected);
});

it('a parent that is not simply successful says how many of its children are what', () => {
  expect(parentOutcome(['succeeded', 'failed', 'lost', 'skipped'], { cancelling: false, notStarted: 0 })).toEqual({
    status: 'partial', code: 'children-incomplete', detail: 'Of 4 run(s): 1 succeeded, 2 failed, 1 skipped', counts: { succeeded: 1, failed: 1, lost: 1, skipped: 1 },
  });
  expect(parentOutcome(['succeeded', 'skipped'], { cancelling: false, notStarted: 0 })).toMatchObject({ status: 'succeeded', code: 'children-skipped' });
});

describe('the node of a run for any', () => {
  const node = (id: string, change: Partial<Candidate> = {}): Candidate => ({ id, enrolled: true, drained: false, online: true, slots: 2, active: 0, ...change });
  const chosen = (...nodes: Candidate[]) => {
    const choice = choosePlace(nodes, (id) => id);
    return choice.status === 'found' ? choice.nodes : `${choice.status} ${choice.reason.code}`;
  };
  it('is the least loaded by slots, not by runs', () => {
    expect(chosen(node('a', { active: 1 }), node('b', { slots: 8, active: 2 }))).toEqual(['b', 'a']);
  });
  it('is the same one each time among equals, whatever the order they come in', () => {
    expect(chosen(node('c'), node('a'), node('b'))).toEqual(['a', 'b', 'c']);
    expect(chosen(node('b'), node('c'), node('a'))).toEqual(['a', 'b', 'c']);
  });
  it('is never one that may not work, is offline or has no free slot', () => {
    expect(chosen(node('a', { drained: true }), node('b', { online: false }), node('c', { active: 2 }), node('d', { enrolled: false }), node('e'))).toEqual(['e']);
  });
  it('is none for a stated reason', () => {
    expect(chosen()).toBe('none no-node-matches');
    expect(chosen(node('a', { drained: true }), node('b', { enrolled: false }))).toBe('away no-node-may-work');
    expect(chosen(node('a', { drained: true }), node('b', { online: false }))).toBe('away nodes-offline');
    expect(chosen(node('a', { online: false }), node('b', { active: 2 }))).toBe('waiting no-free-slot');
  });
});
