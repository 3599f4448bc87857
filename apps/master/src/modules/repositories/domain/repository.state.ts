import { derivedId, unreachable } from '#kernel';
import type { LeaseMode, RepositoryEvent } from './repository.events.ts';

export interface Lease {
  readonly run: string;
  readonly mode: LeaseMode;
}

/** What decisions about one repository need. */
export interface RepositoryState {
  readonly leases: readonly Lease[];
  /** Grows with every mark of a prune. */
  readonly generation: number;
  /** Grows with every deletion: an admission checked before it has to check again. */
  readonly deletions: number;
  /** SHA-256 (hex) of the `repository.json` that may be written. */
  readonly started?: { readonly sha256: string; readonly run: string };
  readonly created?: { readonly repositoryId: string; readonly idKeyId: string };
  /** The last admitted snapshot. */
  readonly latest?: { readonly snapshot: string; readonly object: string };
  /** The prune that has marked and not finished, with the object that lists what it condemned. */
  readonly pruning?: { readonly run: string; readonly condemned?: string };
  readonly dataRecipients: readonly string[];
  readonly catalogRecipients: readonly string[];
}

export const initialRepository: RepositoryState = { leases: [], generation: 0, deletions: 0, dataRecipients: [], catalogRecipients: [] };

/** Id of the aggregate: one repository is one node in one target, known before its first object is written. */
export const repositoryKey = (node: string, target: string): string => derivedId('repo', node, target);

export const evolveRepository = (state: RepositoryState, event: RepositoryEvent): RepositoryState => {
  switch (event.type) {
    case 'LeaseTaken':
      return { ...state, leases: [...state.leases, { run: event.data.run, mode: event.data.mode }] };
    case 'LeaseReleased':
      return { ...state, leases: state.leases.filter((lease) => lease.run !== event.data.run) };
    case 'RepositoryStarted':
      return { ...state, started: { sha256: event.data.sha256, run: event.data.run } };
    case 'RepositoryCreated':
      return { ...state, created: { repositoryId: event.data.repositoryId, idKeyId: event.data.idKeyId } };
    case 'SnapshotAdmitted':
      return { ...state, latest: { snapshot: event.data.snapshot, object: event.data.object } };
    case 'PruneMarked': {
      const { run, condemned } = event.data;
      return { ...state, generation: event.data.generation, pruning: condemned === undefined ? { run } : { run, condemned } };
    }
    case 'RepositoryPruned': {
      const { pruning: _, ...rest } = state;
      return { ...rest, deletions: state.deletions + 1 };
    }
    case 'RecipientAdded':
      return event.data.class === 'data'
        ? { ...state, dataRecipients: [...state.dataRecipients, event.data.recipient] }
        : { ...state, catalogRecipients: [...state.catalogRecipients, event.data.recipient] };
    default:
      return unreachable(event, 'repository event');
  }
};
