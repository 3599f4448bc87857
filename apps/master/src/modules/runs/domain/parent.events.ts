import { defineEvents, type DomainEvent } from '#event-store';
import type { Reason } from './run.events.ts';
import type { AwayRule, RetryPolicy, RunCause, RunPlan } from './run.plan.ts';

/** A run of a parent, and the node that it is for. */
export interface ChildRun {
  readonly run: string;
  readonly node: string;
}

/** What is fixed for a start of a task that chooses its nodes: its children are asked for as it was then, however the task changes. */
export interface ParentOrder {
  readonly plan: Extract<RunPlan, { kind: 'backup' }>;
  /** Labels of the nodes. */
  readonly selector: Readonly<Record<string, string>>;
  /** `any`: one child, on the node that is the least loaded when it begins. `all`: one on each of `children`. */
  readonly mode: 'any' | 'all';
  /** Of `all`: a run for each node that matched when the parent was requested. */
  readonly children: readonly ChildRun[];
  readonly target: string;
  readonly task: string;
  readonly taskName: string;
  readonly cause: RunCause;
  /** RFC 3339: the instant of the schedule that made it. */
  readonly scheduledFor?: string;
  readonly overlap: 'skip' | 'queue';
  /** Of each attempt of a child. */
  readonly timeoutSeconds: number;
  readonly retries: RetryPolicy;
  /** What becomes of children whose nodes are away, and of `any` while all of them are. */
  readonly away: AwayRule;
}

export const parentEnds = ['succeeded', 'partial', 'failed', 'skipped', 'cancelled'] as const;
export type ParentEnd = (typeof parentEnds)[number];

/** The parent exists. */
export type ParentRunRequested = DomainEvent<'ParentRunRequested', ParentOrder>;
/** These children were requested, or queued once more, in the same batch. */
export type ChildRunsStarted = DomainEvent<'ChildRunsStarted', { readonly runs: readonly string[] }>;
/** Of `any`: the child was requested in the same batch, on this node; `instead` of one whose node went away before it began. */
export type ChildRunPlaced = DomainEvent<'ChildRunPlaced', ChildRun & { readonly instead?: string }>;
/** No child begins any more, and those that have are cancelled. */
export type ParentRunCancelRequested = DomainEvent<'ParentRunCancelRequested', Readonly<Record<string, never>>>;
/** By hand, after its end: these children are tried again, or begun after all; of `any` a new one is placed. */
export type ParentRunRetried = DomainEvent<'ParentRunRetried', { readonly runs: readonly string[]; readonly time: string }>;
/** A child that had ended is not what it was: retried by hand, or a late success. The parent ends anew. */
export type ParentRunReopened = DomainEvent<'ParentRunReopened', { readonly run: string }>;
/** The end of the whole; `counts` by status of the children, `not-started` among them. */
export type ParentRunEnded = DomainEvent<'ParentRunEnded', { readonly status: ParentEnd; readonly counts: Readonly<Record<string, number>> } & Partial<Reason>>;

export type ParentRunEvent =
  | ParentRunRequested | ChildRunsStarted | ChildRunPlaced | ParentRunCancelRequested | ParentRunRetried | ParentRunReopened | ParentRunEnded;

/** Every version of these events. */
export const parentRunEventVersions = defineEvents<ParentRunEvent>({
  ParentRunRequested: [], ChildRunsStarted: [], ChildRunPlaced: [], ParentRunCancelRequested: [], ParentRunRetried: [], ParentRunReopened: [],
  ParentRunEnded: [],
});
