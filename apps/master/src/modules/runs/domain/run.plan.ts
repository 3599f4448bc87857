import { unreachable } from '#kernel';
import type { FilesSource, RestoreSpecification, RunStatistics, ItemFault } from '#contracts';

/** Kinds that exist today; `drill` and `replicate` will follow. */
export const runKinds = ['backup', 'restore', 'verify', 'prune'] as const;
export type RunKind = (typeof runKinds)[number];

/** A run is asked for by a schedule, by somebody, or by a duty of the masters. */
export type RunCause = 'schedule' | 'user' | 'duty';

/** What a run is to do, copied when it is requested: a task that changes later changes later runs. */
export type RunPlan =
  | { readonly kind: 'backup'; readonly source: FilesSource }
  | ({ readonly kind: 'restore'; readonly fromNode: string; readonly snapshotRun: string } & RestoreChoice)
  | { readonly kind: 'verify'; readonly ofNode: string; readonly level: VerifyLevel; readonly snapshots: readonly string[] }
  | { readonly kind: 'prune'; readonly ofNode: string; readonly dryRun: boolean };

/** The part of a restore that its requester chooses. */
export type RestoreChoice = Pick<RestoreSpecification, 'snapshot' | 'snapshotObject' | 'destination' | 'mode' | 'deleteExtraneous' | 'dryRun'> & {
  readonly path?: string;
};

/** 1 stored, 2 intact, 2c closed, 3 decodable: see the repository format. */
export const verifyLevels = ['1', '2', '2c', '3'] as const;
export type VerifyLevel = (typeof verifyLevels)[number];

/** How often a failed run is tried again by itself, and how long it waits before. A restore never is. */
export interface RetryPolicy {
  readonly max: number;
  readonly delaySeconds: number;
}

/** What becomes of a run that its node cannot begin. */
export interface AwayRule {
  readonly rule: 'wait' | 'skip' | 'fail';
  /** RFC 3339: a bounded wait counts from here. */
  readonly since: string;
  /** Bound of a wait. */
  readonly seconds?: number;
}

/** What is fixed for a run when it is requested. */
export interface RunOrder {
  readonly plan: RunPlan;
  /** The node that does the work; `node_control` for what no agent can do. */
  readonly node: string;
  readonly target: string;
  /** Id of the repository aggregate it needs a lease of. */
  readonly repository: string;
  /** The task it is a run of; absent for restores and other runs without one. */
  readonly task?: string;
  readonly taskName?: string;
  readonly cause: RunCause;
  /** RFC 3339: the instant of the schedule that made it. */
  readonly scheduledFor?: string;
  readonly timeoutSeconds: number;
  readonly retries: RetryPolicy;
  /** The parent run that it is a child of. */
  readonly parent?: string;
  /** Absent: it waits for its node as long as it takes. */
  readonly away?: AwayRule;
}

/** A snapshot that passed admission. */
export interface SnapshotFacts {
  readonly snapshot: string;
  /** Full name of the snapshot object, which ends in its SHA-256. */
  readonly object: string;
  readonly size: number;
  /** 32 hex digits each. */
  readonly repositoryId: string;
  readonly idKeyId: string;
  /** Wrapped keys of the attempt, base64: a lost object of 400 bytes must not cost a repository. */
  readonly keys: readonly { readonly keyId: string; readonly class: 'id' | 'data' | 'catalog'; readonly file: string }[];
  readonly packs: number;
}

/** What could not be read or written, cut to what an event should carry, and how many there were. */
export interface RunFaults {
  readonly faults: readonly ItemFault[];
  readonly faultCount: number;
}

/** What the data plane counted. */
export type { RunStatistics };

/** A backup, a restore and a verify may run beside each other; a prune runs alone. */
export const leaseModeOf = (kind: RunKind): 'shared' | 'exclusive' => (kind === 'prune' ? 'exclusive' : 'shared');

/** The node whose repository the plan is about. */
export const repositoryNodeOf = (plan: RunPlan, node: string): string => {
  switch (plan.kind) {
    case 'backup':
      return node;
    case 'restore':
      return plan.fromNode;
    case 'verify':
    case 'prune':
      return plan.ofNode;
    default:
      return unreachable(plan, 'plan');
  }
};
