import type { Clock } from '#kernel';
import type { ObjectStore } from '#storage';
import type { DirectoryCache } from '../catalog/pack-catalog.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { ListedSnapshot } from '../snapshots/list-snapshots.ts';

/** What the masters do between the steps. Without hooks nobody else may write to the repository meanwhile. */
export interface PruneHooks {
  /**
   * The ids (32 bytes each, ascending) that may be dropped are known: append `PruneMarked`, and resolve when every attempt that began
   * before has ended or can get no grant any more. Then everything is marked again; what has become needed stays.
   */
  marked?(condemned: Uint8Array, numbers: PruneNumbers): Promise<void>;
  /** The copies are durable and deletion is next: take the repository's sequence. A rejection leaves everything in place. */
  beforeDelete?(numbers: PruneNumbers): Promise<void>;
}

export interface PruneOptions {
  readonly store: ObjectStore;
  /** Opens catalog keys. */
  readonly keys: KeyRing;
  /** Ids of the snapshots to keep, from those that are there. Snapshots that appear after this call are kept. */
  readonly keep: (snapshots: readonly ListedSnapshot[]) => ReadonlySet<string>;
  readonly dryRun?: boolean;
  readonly hooks?: PruneHooks;
  /** The order in which the attempts of keys began; a smaller number is earlier. Default: by the times in the snapshots' headers. */
  readonly attemptOrder?: (keyId: string) => number | undefined;
  /** A pack is written anew when at least this part of its bytes is dead. Default 0.1. */
  readonly minDead?: number;
  /** Size at which a new pack is closed. Default 32 MiB. */
  readonly packBytes?: number;
  readonly cache?: DirectoryCache;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** Bytes as stored unless said otherwise. */
export interface PruneNumbers {
  readonly snapshotsKept: number;
  readonly snapshotsRemoved: number;
  readonly packsKept: number;
  /** Partly live: their live frames are copied, sealed, into new packs. */
  readonly packsRewritten: number;
  readonly packsRemoved: number;
  readonly storedBefore: number;
  readonly storedAfter: number;
  /** Plain bytes of the chunks that snapshots need, each once. */
  readonly livePlain: number;
  /** Plain bytes of all frames that stay: compared with `livePlain` it shows what compaction could win. */
  readonly keptPlain: number;
}

export interface PruneResult extends PruneNumbers {
  readonly dryRun: boolean;
  readonly removedSnapshots: readonly string[];
  readonly newPacks: readonly { readonly name: string; readonly size: number }[];
  readonly removedKeys: number;
  /** What was left alone and why. */
  readonly notes: readonly string[];
}
