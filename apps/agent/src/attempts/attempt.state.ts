import type { CommandVerb, ReportOutcome } from '#contracts';
import { type Refusal, type Result, err, ok, refuse, unreachable } from '#kernel';

/** What an agent works on under a claim. */
export type WorkVerb = Exclude<CommandVerb, 'stop' | 'rotate' | 'upgrade'>;

/** Why an attempt is ended from outside its own work. */
export type EndReason = 'cancelled' | 'fenced' | 'superseded' | 'timed-out' | 'shutdown';

/** An attempt of a run. */
export interface AttemptKey {
  readonly run: string;
  readonly attempt: number;
}

/** `run_x.2` names the second attempt of a run. */
export const keyOf = ({ run, attempt }: AttemptKey): string => `${run}.${attempt}`;

/** Why an attempt needs no report. */
export type ForgetReason = 'stale' | 'refused' | 'fenced' | 'superseded';

/**
 * An attempt as the journal holds it: accepted (the command is here), claimed (the master gave it to us), running (its data plane
 * was started), reported (the report is in the outbox), done (REPORTS acknowledged it), forgotten (not ours, or no longer).
 */
export type AttemptState =
  | { readonly status: 'accepted' }
  | { readonly status: 'claimed'; readonly claim: string; readonly claimedAt: number }
  | { readonly status: 'running'; readonly claim: string; readonly claimedAt: number }
  | { readonly status: 'reported'; readonly claim: string; readonly outcome: ReportOutcome }
  | { readonly status: 'done'; readonly claim: string }
  | { readonly status: 'forgotten'; readonly reason: ForgetReason };

/** What happens to an attempt. `at` is wall-clock milliseconds. */
export type AttemptChange =
  | { readonly type: 'claimed'; readonly claim: string; readonly at: number }
  | { readonly type: 'started' }
  | { readonly type: 'reported'; readonly outcome: ReportOutcome }
  | { readonly type: 'acknowledged' }
  | { readonly type: 'forgotten'; readonly reason: ForgetReason };

export const initialAttempt: AttemptState = { status: 'accepted' };

/** True when nothing more will be done for the attempt. */
export const isOver = (state: AttemptState): boolean => state.status === 'done' || state.status === 'forgotten';

/** True while the attempt still has to be worked on. */
export const isOpen = (state: AttemptState): boolean =>
  state.status === 'accepted' || state.status === 'claimed' || state.status === 'running';

const impossible = (state: AttemptState, change: AttemptChange): Result<AttemptState, Refusal> =>
  err(refuse('internal', 'impossible-attempt-change', `An attempt that is ${state.status} cannot become ${change.type}`));

const claimed = (state: AttemptState, change: AttemptChange & { type: 'claimed' }): Result<AttemptState, Refusal> => {
  if (state.status === 'accepted') return ok({ status: 'claimed', claim: change.claim, claimedAt: change.at });
  // The claim is asked again after a restart: the same one keeps its beginning, another one begins anew.
  if (state.status !== 'claimed' && state.status !== 'running') return impossible(state, change);
  return ok(state.claim === change.claim ? state : { status: 'claimed', claim: change.claim, claimedAt: change.at });
};

/** The state after a change; a refusal for what cannot happen. Pure. */
export const changeAttempt = (state: AttemptState, change: AttemptChange): Result<AttemptState, Refusal> => {
  switch (change.type) {
    case 'claimed':
      return claimed(state, change);
    case 'started':
      if (state.status !== 'claimed' && state.status !== 'running') return impossible(state, change);
      return ok({ ...state, status: 'running' });
    case 'reported':
      if (state.status !== 'claimed' && state.status !== 'running') return impossible(state, change);
      return ok({ status: 'reported', claim: state.claim, outcome: change.outcome });
    case 'acknowledged':
      if (state.status === 'done') return ok(state);
      return state.status === 'reported' ? ok({ status: 'done', claim: state.claim }) : impossible(state, change);
    case 'forgotten':
      return isOpen(state) ? ok({ status: 'forgotten', reason: change.reason }) : impossible(state, change);
    default:
      return unreachable(change, 'attempt change');
  }
};

/** What to do next with an attempt that has just been claimed (again). */
export type NextStep = 'work' | 'report-cancelled' | 'report-interrupted' | 'report-unsupported';

/**
 * Decides it from what the journal says. A backup whose data plane was already started is started again: under new keys, and the
 * engine's journal skips what is done. A restore is not: it may have changed the host, so a person decides.
 */
export const nextStep = (verb: WorkVerb, state: AttemptState, stopRequested: boolean): NextStep => {
  if (stopRequested) return 'report-cancelled';
  switch (verb) {
    case 'backup':
      return 'work';
    case 'restore':
      return state.status === 'running' ? 'report-interrupted' : 'work';
    case 'verify':
    case 'prune':
      return 'report-unsupported';
    default:
      return unreachable(verb, 'verb');
  }
};
