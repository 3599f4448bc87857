import type { ReportOutcome } from '#contracts';
import type { ClaimedAttempt, Reason } from './run.events.ts';
import type { RunFaults, RunOrder, RunStatistics, SnapshotFacts } from './run.plan.ts';

/** Makes the run; with `skip` it ends at once and says why. Repeated: nothing. */
export interface RequestRun {
  readonly type: 'RequestRun';
  readonly order: RunOrder;
  readonly skip?: Reason;
}

/** `now` and all other times are RFC 3339 of the deciding master's clock. */
export interface DispatchRun {
  readonly type: 'DispatchRun';
  readonly now: string;
  readonly deadline: string;
}

/** Nobody has claimed the attempt. `online`: although its agent is there. */
export interface ReturnRun extends Reason {
  readonly type: 'ReturnRun';
  readonly attempt: number;
  readonly online: boolean;
  readonly now: string;
}

/** `claim` and `snapshot` are new ids, used if this claim is the first. */
export interface ClaimRun {
  readonly type: 'ClaimRun';
  readonly node: string;
  readonly attempt: number;
  readonly instance: string;
  readonly claim: string;
  readonly snapshot: string;
  readonly now: string;
  readonly generation: number;
}

/** What the agent said, with the snapshot it proposed when that has been admitted. */
export interface ReportRun extends ClaimedAttempt, RunFaults {
  readonly type: 'ReportRun';
  readonly node: string;
  readonly outcome: ReportOutcome;
  readonly reason?: Reason;
  readonly statistics?: RunStatistics;
  readonly phases?: Readonly<Record<string, number>>;
  readonly snapshot?: SnapshotFacts;
  readonly now: string;
}

export interface CancelRun {
  readonly type: 'CancelRun';
  /** Where it is not a wish of somebody. */
  readonly reason?: Reason;
}

/** Gives up the running attempt: its time is over. Nothing when `attempt` is no longer under way. */
export interface TimeOutRun {
  readonly type: 'TimeOutRun';
  readonly attempt: number;
  readonly now: string;
}

/** Gives up the running attempt: its node no longer holds it or is gone. */
export interface LoseRun extends Reason {
  readonly type: 'LoseRun';
  readonly attempt: number;
  readonly now: string;
}

/** Its node cannot begin it now, for this reason: what the rule of the run says comes about. Nothing when it waits on. */
export interface MeetAbsence extends Reason {
  readonly type: 'MeetAbsence';
  readonly now: string;
}

/** By hand, after an end that left nothing to restore from. */
export interface RetryRun {
  readonly type: 'RetryRun';
  readonly now: string;
}

export type RunCommand = RequestRun | DispatchRun | ReturnRun | ClaimRun | ReportRun | CancelRun | TimeOutRun | LoseRun | MeetAbsence | RetryRun;
