import type { SnapshotProposal } from '#contracts';
import type { ObjectInfo, ObjectLister, ObjectReader } from '#storage';
import type { DirectoryCache } from '../catalog/pack-catalog.ts';
import type { SnapshotHeader } from '../format/snapshot.ts';
import type { KeyRing } from '../keys/key-ring.ts';

/** What is to be admitted, and what the masters know themselves. */
export interface AdmissionOptions {
  /** The repository in the target. */
  readonly store: ObjectReader & ObjectLister;
  /** Opens catalog keys: `identityKeys(store, catalogIdentities)`. With an id key in it the snapshot's MAC is checked too. */
  readonly keys: KeyRing;
  readonly proposal: SnapshotProposal;
  readonly expected: {
    /** Id that the claim named. */
    readonly snapshot: string;
    /** Absent for the first snapshot of a repository. */
    readonly repositoryId?: string;
    readonly idKeyId?: string;
    /** When given, the header must name exactly this previous snapshot (hex); null: none. */
    readonly previous?: string | null;
  };
  /** Faults of the run: chunks of files that changed while they were read are left behind unreferenced. */
  readonly faultCount: number;
  /** Ids condemned by a prune that has marked (32 bytes each): only the attempt's own copies of them count. */
  readonly condemned?: Uint8Array;
  /** Packs whose chunks may be referenced besides the proposal's own and adopted ones. Default: all that are listed. */
  readonly livePacks?: readonly ObjectInfo[];
  readonly cache?: DirectoryCache;
  readonly signal?: AbortSignal;
}

/** Stable reasons to refuse. */
export const admissionCodes = [
  'snapshot-mismatch', 'object-missing', 'object-damaged', 'key-missing', 'key-foreign', 'chunk-missing', 'chunk-condemned', 'chunk-unreferenced',
  'reference-mismatch',
] as const;
export type AdmissionCode = (typeof admissionCodes)[number];

/** Admitted, with what was counted; or refused for good, with a code and a sentence. */
export type AdmissionVerdict =
  | { readonly admitted: true; readonly header: SnapshotHeader; readonly counts: AdmissionCounts }
  | { readonly admitted: false; readonly code: AdmissionCode; readonly detail: string };

export interface AdmissionCounts {
  /** Chunks that the snapshot refers to; repeated ones each time, those below a repeated list once. */
  readonly references: number;
  /** Chunks in the attempt's own packs. */
  readonly uploadedChunks: number;
  /** Of these, in no place of the snapshot: content of entries that became faults, or of an interrupted attempt. */
  readonly unreferencedChunks: number;
  readonly unreferencedBytes: number;
}
