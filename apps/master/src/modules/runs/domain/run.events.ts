import { defineEvents, type DomainEvent } from '#event-store';
import type { RunFaults, RunOrder, RunStatistics, SnapshotFacts } from './run.plan.ts';

/** Names an attempt under its claim. */
export interface ClaimedAttempt {
  readonly attempt: number;
  readonly claim: string;
}

/** What every end that an agent reported carries. `late`: the attempt had been given up before. */
export interface ReportedEnd extends ClaimedAttempt, RunFaults {
  readonly late: boolean;
  readonly statistics?: RunStatistics;
  /** Milliseconds by phase of the data plane. */
  readonly phases?: Readonly<Record<string, number>>;
}

/** Why something ended the way it did: a stable code and a sentence. */
export interface Reason {
  readonly code: string;
  readonly detail: string;
}

/** `again`: this was not the end of the run; another attempt follows by itself, `RunRetried` stands in the same batch. */
export interface Again {
  readonly again: boolean;
}

/** The run exists and waits. */
export type RunRequested = DomainEvent<'RunRequested', RunOrder>;
/** The command for `attempt` may be sent; unclaimed after `deadline` the run goes back to the queue. */
export type RunDispatched = DomainEvent<'RunDispatched', { readonly attempt: number; readonly deadline: string }>;
/** Nobody claimed the attempt; the run waits again. */
export type RunReturned = DomainEvent<'RunReturned', { readonly attempt: number } & Reason>;
/** The node's instance holds the one live claim of the run until `deadline`. */
export type RunStarted = DomainEvent<'RunStarted', ClaimedAttempt & {
  readonly instance: string;
  /** The master's time of the attempt, which goes into its snapshot. */
  readonly time: string;
  readonly deadline: string;
  /** Id that the snapshot of a backup attempt will have. */
  readonly snapshot?: string;
  /** Prune generation of the repository at the start. */
  readonly generation: number;
}>;
export type RunSucceeded = DomainEvent<'RunSucceeded', ReportedEnd>;
/** A restorable snapshot (or restore) with unreadable sources listed. */
export type RunPartiallySucceeded = DomainEvent<'RunPartiallySucceeded', ReportedEnd & Reason>;
export type RunFailed = DomainEvent<'RunFailed', ReportedEnd & Reason & Again>;
/** A pre-hook said so, or an overlap or misfire policy did (then there was no attempt). */
export type RunSkipped = DomainEvent<'RunSkipped', { readonly attempt?: number; readonly claim?: string } & Reason>;
/** Failed without an attempt, or without another one: its node was away, and that is what the task's rule says. */
export type RunGivenUp = DomainEvent<'RunGivenUp', Reason>;
/** The agent has been asked to stop and has not confirmed yet. */
export type RunCancelRequested = DomainEvent<'RunCancelRequested', { readonly attempt: number }>;
export type RunCancelled = DomainEvent<'RunCancelled', { readonly attempt?: number } & Partial<Reason>>;
export type RunTimedOut = DomainEvent<'RunTimedOut', { readonly attempt: number } & Reason & Again>;
/** The node no longer holds the attempt, or has been silent for too long. */
export type RunLost = DomainEvent<'RunLost', { readonly attempt: number } & Reason & Again>;
/** The run waits for another attempt, not before `notBefore`. */
export type RunRetried = DomainEvent<'RunRetried', { readonly notBefore: string; readonly automatic: boolean }>;
/** The snapshot is a fact: same batch as the success of its attempt. */
export type SnapshotRecorded = DomainEvent<'SnapshotRecorded', ClaimedAttempt & SnapshotFacts & {
  readonly node: string;
  readonly target: string;
  readonly repository: string;
  readonly task?: string;
  readonly taskName?: string;
  /** The master's time of the attempt that made it. */
  readonly time: string;
  readonly partial: boolean;
  readonly late: boolean;
  readonly statistics?: RunStatistics;
}>;

export type RunEvent =
  | RunRequested | RunDispatched | RunReturned | RunStarted | RunSucceeded | RunPartiallySucceeded | RunFailed | RunSkipped
  | RunCancelRequested | RunCancelled | RunTimedOut | RunLost | RunGivenUp | RunRetried | SnapshotRecorded;

/** Every version of these events. */
export const runEventVersions = defineEvents<RunEvent>({
  RunRequested: [], RunDispatched: [], RunReturned: [], RunStarted: [], RunSucceeded: [], RunPartiallySucceeded: [], RunFailed: [],
  RunSkipped: [], RunCancelRequested: [], RunCancelled: [], RunTimedOut: [], RunLost: [], RunGivenUp: [], RunRetried: [], SnapshotRecorded: [],
});
