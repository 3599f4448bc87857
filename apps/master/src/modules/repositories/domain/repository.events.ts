import { defineEvents, type DomainEvent } from '#event-store';

/** Which node's objects, in which target. */
export interface RepositoryPlace {
  readonly node: string;
  readonly target: string;
}

export type LeaseMode = 'shared' | 'exclusive';

/** The run may work on the repository: beside others, or alone. */
export type LeaseTaken = DomainEvent<'LeaseTaken', RepositoryPlace & { readonly run: string; readonly mode: LeaseMode }>;
export type LeaseReleased = DomainEvent<'LeaseReleased', { readonly run: string }>;
/** The one write grant of `repository.json` has been given, for these bytes. */
export type RepositoryStarted = DomainEvent<'RepositoryStarted', { readonly run: string; readonly attempt: number; readonly sha256: string }>;
/** Its first snapshot was admitted: its ids are fixed from now on. */
export type RepositoryCreated = DomainEvent<'RepositoryCreated', RepositoryPlace & { readonly repositoryId: string; readonly idKeyId: string }>;
/** The snapshot was found complete; same batch as the success of its run. */
export type SnapshotAdmitted = DomainEvent<'SnapshotAdmitted', {
  readonly snapshot: string;
  readonly run: string;
  readonly attempt: number;
  readonly object: string;
}>;
/** Runs that start from now on are of this generation and do not know what the prune has condemned. */
export type PruneMarked = DomainEvent<'PruneMarked', { readonly run: string; readonly generation: number; readonly condemned?: string }>;
/** What is condemned is deleted from now on; no snapshot is admitted until that is over. */
export type DeletionStarted = DomainEvent<'DeletionStarted', { readonly run: string }>;
/**
 * The prune has deleted what it condemned. Then the packs took `storedBytes`; before compression and encryption snapshots needed
 * `livePlainBytes`, each chunk once, and the packs held `keptPlainBytes`: the difference is what compaction could win.
 */
export type RepositoryPruned = DomainEvent<'RepositoryPruned', {
  readonly run: string;
  readonly generation: number;
  readonly forgotten: readonly string[];
  readonly deletedObjects: number;
  readonly deletedBytes: number;
  readonly storedBytes?: number;
  readonly livePlainBytes?: number;
  readonly keptPlainBytes?: number;
}>;
/** age public key that later attempts wrap their keys to, beside those of the installation. */
export type RecipientAdded = DomainEvent<'RecipientAdded', { readonly class: 'data' | 'catalog'; readonly recipient: string }>;

export type RepositoryEvent =
  | LeaseTaken | LeaseReleased | RepositoryStarted | RepositoryCreated | SnapshotAdmitted | PruneMarked | DeletionStarted | RepositoryPruned | RecipientAdded;

/** Every version of these events. */
export const repositoryEventVersions = defineEvents<RepositoryEvent>({
  LeaseTaken: [], LeaseReleased: [], RepositoryStarted: [], RepositoryCreated: [], SnapshotAdmitted: [], PruneMarked: [], DeletionStarted: [], RepositoryPruned: [], RecipientAdded: [],
});
