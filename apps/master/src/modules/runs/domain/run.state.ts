import { unreachable } from '#kernel';
import type { RunEvent, RunRetried, RunStarted } from './run.events.ts';
import type { RunOrder } from './run.plan.ts';

/** Where an attempt is, or how it ended. `superseded`: a late success of an earlier attempt made it pointless. */
export type AttemptStatus =
  | 'dispatched' | 'returned' | 'running' | 'succeeded' | 'partial' | 'failed' | 'skipped' | 'cancelled' | 'timed-out' | 'lost' | 'superseded';

export interface Attempt {
  readonly number: number;
  readonly status: AttemptStatus;
  /** RFC 3339: to claim while dispatched, to end while running. */
  readonly deadline: string;
  readonly claim?: string;
  readonly instance?: string;
  /** RFC 3339: when it was claimed. */
  readonly time?: string;
  readonly snapshot?: string;
  readonly generation?: number;
}

interface RunFacts {
  readonly order: RunOrder;
  readonly attempts: readonly Attempt[];
  /** Attempts that failed, timed out or were lost since the last request by hand. */
  readonly failures: number;
  /** The one snapshot of the run. */
  readonly snapshot?: string;
}

export const activeStatuses = ['dispatched', 'running', 'cancel-requested'] as const;
export const terminalStatuses = ['succeeded', 'partial', 'failed', 'skipped', 'cancelled', 'timed-out', 'lost'] as const;
export type ActiveStatus = (typeof activeStatuses)[number];
export type TerminalStatus = (typeof terminalStatuses)[number];

export type QueuedRun = RunFacts & { readonly status: 'queued'; readonly notBefore?: string };
/** An attempt (the last) is under way and the run holds its lease. */
export type ActiveRun = RunFacts & { readonly status: ActiveStatus };
export type EndedRun = RunFacts & { readonly status: TerminalStatus };
export type ExistingRun = QueuedRun | ActiveRun | EndedRun;
export type RunState = { readonly status: 'absent' } | ExistingRun;
export type RunStatus = ExistingRun['status'];

export const initialRun: RunState = { status: 'absent' };

export const isActive = (state: RunState): state is ActiveRun => (activeStatuses as readonly string[]).includes(state.status);
export const isEnded = (state: RunState): state is EndedRun => (terminalStatuses as readonly string[]).includes(state.status);

/** The attempt under way, or the last one; undefined before the first. */
export const lastAttempt = (state: RunFacts): Attempt | undefined => state.attempts.at(-1);

const changed = (state: RunFacts, number: number, change: Partial<Attempt>): readonly Attempt[] =>
  state.attempts.map((attempt) => (attempt.number === number ? { ...attempt, ...change } : attempt));

const facts = ({ order, attempts, failures, snapshot }: RunFacts): RunFacts =>
  snapshot === undefined ? { order, attempts, failures } : { order, attempts, failures, snapshot };

const open: readonly AttemptStatus[] = ['dispatched', 'running'];

/** The run ended with its attempt `number` in `status`; any other attempt that was under way no longer counts. */
const end = (state: RunFacts, status: TerminalStatus, number?: number): RunState => ({
  ...facts(state),
  status,
  attempts: state.attempts.map((attempt) => {
    if (attempt.number === number) return { ...attempt, status };
    return open.includes(attempt.status) ? { ...attempt, status: 'superseded' as const } : attempt;
  }),
});

const giveUp = (state: RunFacts, status: 'failed' | 'timed-out' | 'lost', number: number): RunState =>
  end({ ...state, failures: state.failures + 1 }, status, number);

const started = (state: RunFacts, { attempt, claim, instance, time, deadline, snapshot, generation }: RunStarted['data']): RunState => ({
  ...facts(state),
  status: 'running',
  attempts: changed(state, attempt, {
    status: 'running', claim, instance, time, deadline, generation, ...(snapshot === undefined ? {} : { snapshot }),
  }),
});

/** What waits for its node waits anew. */
const waitingAgain = (order: RunOrder, since: string): RunOrder => (order.away ? { ...order, away: { ...order.away, since } } : order);

const retried = (state: RunFacts, { notBefore, automatic }: RunRetried['data']): RunState => ({
  ...facts(state), order: waitingAgain(state.order, notBefore), status: 'queued', notBefore, failures: automatic ? state.failures : 0,
});

const evolveExisting = (state: ExistingRun, event: Exclude<RunEvent, { type: 'RunRequested' }>): RunState => {
  switch (event.type) {
    case 'RunDispatched':
      return {
        ...facts(state), status: 'dispatched',
        attempts: [...state.attempts, { number: event.data.attempt, status: 'dispatched', deadline: event.data.deadline }],
      };
    case 'RunReturned':
      return { ...facts(state), status: 'queued', attempts: changed(state, event.data.attempt, { status: 'returned' }) };
    case 'RunStarted':
      return started(state, event.data);
    case 'RunSucceeded':
      return end(state, 'succeeded', event.data.attempt);
    case 'RunPartiallySucceeded':
      return end(state, 'partial', event.data.attempt);
    case 'RunFailed':
      return giveUp(state, 'failed', event.data.attempt);
    case 'RunSkipped':
      return end(state, 'skipped', event.data.attempt);
    case 'RunCancelRequested':
      return { ...facts(state), status: 'cancel-requested' };
    case 'RunCancelled':
      return end(state, 'cancelled', event.data.attempt);
    case 'RunTimedOut':
      return giveUp(state, 'timed-out', event.data.attempt);
    case 'RunLost':
      return giveUp(state, 'lost', event.data.attempt);
    case 'RunGivenUp':
      return end(state, 'failed');
    case 'RunRetried':
      return retried(state, event.data);
    case 'SnapshotRecorded':
      return { ...state, snapshot: event.data.snapshot };
    default:
      return unreachable(event, 'run event');
  }
};

/** Total: an event of a run that was never requested changes nothing. */
export const evolveRun = (state: RunState, event: RunEvent): RunState => {
  if (event.type === 'RunRequested') return { status: 'queued', order: event.data, attempts: [], failures: 0 };
  return state.status === 'absent' ? state : evolveExisting(state, event);
};
