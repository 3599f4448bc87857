import type { ItemFault, RunStatistics, StoredObject, WrappedKey } from '#contracts';
import type { Clock } from '#kernel';
import type { Source } from '#sources';
import type { ObjectWriter } from '#storage';
import type { WriterIdentity } from '../state/identity.ts';

/** Facts besides the size that tell that a file changed. */
export type ChangeFact = 'mtime' | 'ctime' | 'inode';

/** The repository that is written to. */
export interface BackupRepository {
  readonly identity: WriterIdentity;
  /** age recipients of the id key, the data key and the catalog key. */
  readonly dataRecipients: readonly string[];
  /** age recipients of the catalog key alone. */
  readonly catalogRecipients: readonly string[];
  /** True when this attempt writes `repository.json` and the wrapped id key first. */
  readonly create: boolean;
  /** Prune generation at the start of the attempt: local caches of another generation are not trusted. */
  readonly generation: number;
  /** Condemned chunk ids, 32 bytes each, in any order: treated as not stored. */
  readonly condemned?: Uint8Array;
  /** Ids of stored chunks (32 bytes each, ascending), for a writer whose cache is lost or of another generation. */
  readonly importedKnown?: AsyncIterable<Uint8Array>;
  /** Names of the packs the target holds now, where it can be listed: known chunks of other packs are forgotten. */
  readonly presentPacks?: ReadonlySet<string>;
}

/** What the snapshot is of. */
export interface BackupSubject {
  /** `snap_...` */
  readonly snapshotId: string;
  /** Stable name of the task within the state directory and the snapshot; also names its cache. */
  readonly taskId: string;
  readonly taskName?: string;
  readonly runId?: string;
  readonly attempt?: number;
  /** RFC 3339: the master's time of the run. */
  readonly time: string;
  /** SHA-256 (hex) of the previous admitted snapshot object of the task. */
  readonly previousSnapshot?: string;
}

/** Bounds on what a backup uses. */
export interface BackupLimits {
  /** Worker threads that read, cut, hash, compress and seal. Default 2. */
  readonly workers: number;
  /** Files read at the same time, at most one a worker; 1 for a spinning disk. Default: `workers`. */
  readonly readers: number;
  /** A pack is closed at this size. 16 to 48 MiB. Default 16 MiB; each worker holds up to two. */
  readonly packBytes: number;
  /** Bytes of entries that may wait for an earlier one to finish. Default 8 MiB. */
  readonly windowBytes: number;
}

/** Counted so far; bytes and entries. Totals are those of the task's last snapshot, until there is more than it held: `estimated`. */
export interface BackupProgress {
  readonly phase: 'keys' | 'content' | 'snapshot';
  readonly files: number;
  /** Of entries that are done, and of files at hand as they are read. */
  readonly bytes: number;
  readonly totalFiles?: number;
  readonly totalBytes?: number;
  readonly estimated?: boolean;
  readonly storedBytes: number;
  readonly faults: number;
  /** Printable path of the entry walked last. */
  readonly current?: string;
}

export interface BackupOptions {
  readonly writer: ObjectWriter;
  readonly source: Source;
  readonly repository: BackupRepository;
  readonly subject: BackupSubject;
  /** Directory of this writer's caches and journal. */
  readonly stateDir: string;
  readonly changeDetection?: readonly ChangeFact[];
  readonly limits?: Partial<BackupLimits>;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** At every step, and every second. */
  readonly onProgress?: (progress: BackupProgress) => void;
  /** What this machine or source cannot give at all, said once each: `xattrs-unavailable`, `path-through-link`. Not a fault. */
  readonly onNote?: (code: string, detail: string) => void;
  /** Called before the snapshot object is written, when all it refers to is durable; a rejection ends the attempt without a snapshot. */
  readonly beforeSnapshot?: (usedPacks: readonly string[]) => Promise<void>;
}

/** A proposed snapshot and everything that admission needs to know about it. */
export interface BackupResult {
  /** `partial`: complete but for the reported faults. */
  readonly outcome: 'succeeded' | 'partial';
  readonly snapshot: { readonly id: string; readonly name: string; readonly size: number; readonly sha256: string };
  readonly repositoryId: string;
  readonly idKeyId: string;
  /** The wrapped keys as they lie in the target: data, catalog and, when the repository was created, id. */
  readonly keys: readonly WrappedKey[];
  /** Packs this attempt wrote. */
  readonly packs: readonly StoredObject[];
  /** Packs of interrupted attempts of this task, whose chunks this snapshot may use. */
  readonly adoptedPacks: readonly StoredObject[];
  readonly statistics: RunStatistics;
  /** The first 1,000. */
  readonly faults: readonly ItemFault[];
  readonly faultCount: number;
  /** Milliseconds by phase. */
  readonly phases: Readonly<Record<string, number>>;
}
