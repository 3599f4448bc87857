import type {
  Grant, GrantRequest, IdKeyAnswer, KnownChunksAnswer, PacksAnswer, Progress, RunReport, Specification,
} from '#contracts';
import type { AttemptKey } from '../attempts/attempt.state.ts';
import type { NetworkSettings } from '../network/network.ts';

/** What one data plane is to do. Goes to its process over a private channel, never through arguments or the environment. */
export interface WorkOrder extends AttemptKey {
  /** Id that a snapshot will have. */
  readonly snapshot?: string;
  /** Plain JSON, validated. */
  readonly specification: Specification;
  /** The engine's cache of the target. */
  readonly cacheDir: string;
  /** How targets and the relay are reached. */
  readonly network: NetworkSettings;
  /** Opens what is sealed to this agent: the keys of a restore, or a lost id key. */
  readonly ageIdentity: string;
}

/** What a data plane asks of the process that talks to the masters. */
export interface DataPlaneHooks {
  /** In the order asked; at most 64 at once. */
  grants(objects: readonly GrantRequest[]): Promise<readonly Grant[]>;
  knownChunks(): Promise<KnownChunksAnswer>;
  idKey(): Promise<IdKeyAnswer>;
  packs(after: string | undefined): Promise<PacksAnswer>;
  progress(progress: Omit<Progress, 'attempt' | 'elapsedMs' | 'remainingMs'>): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', text: string): void;
}

/** A report without what the claim adds. */
export type WorkResult = Omit<RunReport, 'protocol' | 'attempt' | 'claim'>;

/** Moves the data of one attempt, in a place that ends with it: the keys are gone when this settles. */
export interface DataPlane {
  /**
   * Always resolves with what happened when the work itself went wrong. Rejects with the signal's reason after an abort, and only
   * when nothing of it runs any more.
   */
  run(order: WorkOrder, hooks: DataPlaneHooks, signal: AbortSignal): Promise<WorkResult>;
}

/** What happened when nothing good did. */
export const failedResult = (code: string, detail: string): WorkResult => ({
  outcome: 'failed', code: code.slice(0, 64), detail: detail.slice(0, 4096), faults: [], faultCount: 0,
});
