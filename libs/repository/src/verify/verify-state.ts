import type { ListingByKey, ObjectListing } from '../catalog/list-objects.ts';
import type { PackCatalog } from '../catalog/pack-catalog.ts';
import type { SealedSnapshot } from '../format/snapshot.ts';
import type { Findings } from './findings.ts';
import type { VerifyOptions } from './verify-options.ts';

/** A snapshot object that could be read. */
export interface ReadSnapshot {
  readonly name: string;
  readonly sealed: SealedSnapshot;
}

/** What the steps of a verification share. */
export interface VerifyState {
  readonly options: VerifyOptions;
  readonly findings: Findings;
  readonly notes: string[];
  readonly listing: ObjectListing;
  readonly byKey: ListingByKey;
  readonly snapshots: readonly ReadSnapshot[];
  /** Filled when keys are given. */
  readonly catalog: PackCatalog;
  /** One `copyState` for each copy in the catalog. */
  states: Uint8Array;
  /** Finding of a pack whose bytes, or some, are wrong. */
  readonly packFindings: Map<string, string>;
  bytes: number;
  objects: number;
}
