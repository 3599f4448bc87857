import type { ListingByKey, ObjectListing } from '../catalog/list-objects.ts';
import type { PackCatalog } from '../catalog/pack-catalog.ts';
import type { ListedSnapshot } from '../snapshots/list-snapshots.ts';
import type { Findings } from './findings.ts';
import type { VerifyOptions } from './verify-options.ts';

/** What the steps of a verification share. */
export interface VerifyState {
  readonly options: VerifyOptions;
  readonly findings: Findings;
  readonly notes: string[];
  readonly listing: ObjectListing;
  readonly byKey: ListingByKey;
  /** Those whose object could be read: their headers only, as there may be hundreds, and large ones. */
  readonly snapshots: readonly ListedSnapshot[];
  /** Filled when keys are given. */
  readonly catalog: PackCatalog;
  /** One `copyState` for each copy in the catalog. */
  states: Uint8Array;
  /** Finding of a pack whose bytes, or some, are wrong. */
  readonly packFindings: Map<string, string>;
  bytes: number;
  objects: number;
}
