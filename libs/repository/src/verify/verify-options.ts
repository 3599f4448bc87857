import type { ObjectLister, ObjectReader } from '#storage';
import type { TroubleKind } from '../catalog/pack-catalog.ts';
import type { KeyRing } from '../keys/key-ring.ts';

/**
 * 1 stored: everything that should be there is, and the storage's own SHA-256, where it keeps one, equals the name. 2 intact: the
 * bytes of every object have the hash in its name. 2c closed: 1, and every chunk a snapshot needs is in a pack (catalog keys). 3
 * decodable: 2, and every chunk decrypts, decompresses and has its id (data keys).
 */
export type VerifyLevel = 1 | 2 | '2c' | 3;

export interface VerifyOptions {
  readonly store: ObjectReader & ObjectLister;
  readonly level: VerifyLevel;
  /** Required for 2c (catalog keys) and 3 (data keys). Given at 1 or 2, closure is checked and affected paths are named too. */
  readonly keys?: KeyRing;
  /** Names that somebody who remembers (the event log) says are there: what is missing of them is reported. */
  readonly expected?: Iterable<string>;
  /** Ids of the snapshots to look at; absent: all. Packs that none of them needs are checked all the same. */
  readonly snapshots?: ReadonlySet<string>;
  /** Threads for levels 2 and 3; 0: this thread. Default: 2 for more than 64 MiB, else 0. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** Counted so far; the totals are known after the listing. */
export interface VerifyProgress {
  readonly phase: 'list' | 'directories' | 'packs' | 'snapshots';
  readonly objects: number;
  readonly totalObjects: number;
  readonly bytes: number;
  readonly findings: number;
}

/** A snapshot that loses something by a finding. */
export interface AffectedSnapshot {
  /** `snap_...` */
  readonly snapshot: string;
  /** The whole snapshot cannot be read. */
  readonly whole: boolean;
  /** The first 1,000 entries that cannot be restored, printable, from `/`. */
  readonly paths: readonly string[];
  /** All entries that cannot be restored, also those whose path is not known. */
  readonly entries: number;
  /** Places of entries whose path is not known (no data key, or the manifest itself is lost): `part 3, entries 1200 (from /usr/lib)`. */
  readonly places: readonly string[];
}

/** One thing that is wrong. */
export interface VerifyFinding {
  readonly kind: TroubleKind;
  /** Name of the object, or the folder of a missing key, or '' for chunks that no pack holds. */
  readonly object: string;
  readonly code: string;
  readonly detail: string;
  /** Empty when nothing is lost by it: another good copy is there, or no snapshot needs it. */
  readonly affected: readonly AffectedSnapshot[];
}

export interface VerifyResult {
  readonly level: VerifyLevel;
  /** `damaged`: something is missing or wrong. `incomplete`: nothing is known to be wrong, and something could not be fetched. */
  readonly outcome: 'intact' | 'damaged' | 'incomplete';
  readonly findings: readonly VerifyFinding[];
  readonly checked: {
    readonly snapshots: number;
    readonly packs: number;
    readonly objects: number;
    /** Copies of chunks known from directories; at level 3 all of them were decoded. */
    readonly chunks: number;
    /** Read from the target for levels 2 and 3. */
    readonly bytes: number;
  };
  /** What is no damage and yet worth knowing: strangers in the folder, an earlier snapshot that is not there any more. */
  readonly notes: readonly string[];
}
