/** What the CLI needs of a run, a field of `GET /api/v1/runs/{id}`. */
export interface RunView {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  /** Absent: a parent run. */
  readonly node?: string;
  readonly parent?: string;
  /** Of a parent run. */
  readonly children?: { readonly total: number; readonly byStatus: Readonly<Record<string, number>> };
  readonly target?: string;
  readonly task?: string;
  readonly taskName?: string;
  readonly cause?: string;
  readonly scheduledFor?: string;
  readonly place?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly snapshot?: string;
  readonly waitingReason?: string;
  readonly requestedAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly faultCount?: number;
  readonly attempts?: readonly { readonly attempt: number; readonly status: string; readonly startedAt?: string; readonly endedAt?: string; readonly code?: string; readonly detail?: string }[];
  readonly faults?: readonly { readonly path: string; readonly code: string; readonly detail: string }[];
  /** What was asked for, by kind. */
  readonly plan?: { readonly level?: string; readonly snapshots?: readonly string[]; readonly ofNode?: string; readonly dryRun?: boolean };
  readonly statistics?: {
    readonly files: number; readonly directories: number; readonly others: number; readonly bytes: number;
    readonly filesRead: number; readonly bytesRead: number; readonly addedBytes: number; readonly storedBytes: number;
  };
  readonly progress?: {
    readonly phase: string; readonly files: number; readonly bytes: number; readonly totalFiles?: number; readonly totalBytes?: number; readonly estimated?: boolean; readonly remainingMs?: number;
    readonly storedBytes: number; readonly elapsedMs: number; readonly current?: string;
  };
}

const finalStatuses = ['succeeded', 'partial', 'failed', 'skipped', 'cancelled', 'timed-out', 'lost'];

/** True when nothing more will happen to the run. */
export const isFinal = (run: Pick<RunView, 'status'>): boolean => finalStatuses.includes(run.status);
