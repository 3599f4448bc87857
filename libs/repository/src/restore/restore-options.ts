import type { ItemFault } from '#contracts';
import type { Clock } from '#kernel';
import type { ObjectReader } from '#storage';
import type { KeyRing } from '../keys/key-ring.ts';

/** What to do where something exists already. */
export type RestoreMode = 'always' | 'if-changed' | 'if-newer' | 'never';

/** Bounds on what a restore uses. */
export interface RestoreLimits {
  /** Worker threads that fetch, open, decompress, check and write; more than cores, as making files waits for the disk. Default 3. */
  readonly workers: number;
  /** Bytes of stored frames fetched and not yet written. Default 12 MiB. */
  readonly fetchBytes: number;
}

/** Counted so far. Totals: of a whole snapshot what it says of itself (`estimated`), else and later what the finished plan counted. */
export interface RestoreProgress {
  readonly phase: 'index' | 'content' | 'metadata';
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles?: number;
  readonly totalBytes?: number;
  readonly estimated?: boolean;
  readonly faults: number;
}

export interface RestoreOptions {
  readonly reader: ObjectReader;
  readonly keys: KeyRing;
  /** Full name of the snapshot object, `snapshots/<id>/<sha256>`. */
  readonly snapshotObject: string;
  /** Names of every pack that may hold chunks of the snapshot; more than needed is harmless. */
  readonly packs: AsyncIterable<string> | Iterable<string>;
  /** Restore this entry and what is below it: raw bytes, relative to `/`. Absent: all. */
  readonly path?: Uint8Array;
  /** Absolute directory to write into; made when missing. `/` puts everything back where it was. */
  readonly destination: string;
  readonly mode: RestoreMode;
  readonly dryRun?: boolean;
  /** Removes what the snapshot does not have, inside the restored directories only. */
  readonly deleteExtraneous?: boolean;
  readonly limits?: Partial<RestoreLimits>;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** At every step, and every second. */
  readonly onProgress?: (progress: RestoreProgress) => void;
  /**
   * What this machine cannot restore at all, said once each: `xattrs-unavailable`, `owners-skipped`, `sockets-skipped`, `nothing-deleted`;
   * and `pack-unreadable` of each pack. Not a fault.
   */
  readonly onNote?: (code: string, detail: string) => void;
}

/** What was put back; bytes and entries. */
export interface RestoreStatistics {
  readonly files: number;
  readonly directories: number;
  readonly others: number;
  readonly bytes: number;
  /** Entries left alone because of the mode. */
  readonly skipped: number;
  /** Entries removed because the snapshot does not have them. */
  readonly deleted: number;
  /** Bytes read from the target. */
  readonly fetchedBytes: number;
}

export interface RestoreResult {
  readonly outcome: 'succeeded' | 'partial';
  /** Why it is partial: a stable code and a sentence. `restore-destination-...` when the destination was full, read-only or closed. */
  readonly reason?: { readonly code: string; readonly detail: string };
  readonly statistics: RestoreStatistics;
  /** The first 1,000. */
  readonly faults: readonly ItemFault[];
  readonly faultCount: number;
  /** Milliseconds by phase. */
  readonly phases: Readonly<Record<string, number>>;
}
