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
  /** Snapshots admitted so far: a prune that marked before one of them must not delete. */
  readonly admissions: number;
  /** Grows with every deletion: an admission checked before it has to check again. */
  readonly deletions: number;
  /** SHA-256 (hex) of the `repository.json` that may be written. */
  readonly started?: { readonly sha256: string; readonly run: string };
  readonly created?: { readonly repositoryId: string; readonly idKeyId: string };
  /** The last admitted snapshot. */
  readonly latest?: { readonly snapshot: string; readonly object: string };
  /** The prune that has marked and not finished, with the object that lists what it condemned. */
  readonly pruning?: { readonly run: string; readonly condemned?: string; readonly deleting: boolean };
  readonly dataRecipients: readonly string[];
  readonly catalogRecipients: readonly string[];
}

export const initialRepository: RepositoryState = { leases: [], generation: 0, admissions: 0, deletions: 0, dataRecipients: [], catalogRecipients: [] };

/** Id of the aggregate: one repository is one node in one target, known before its first object is written. */
export const repositoryKey = (node: string, target: string): string => derivedId('repo', node, target);

const unmarked = ({ pruning: _, ...state }: RepositoryState): RepositoryState => ({ ...state, deletions: state.deletions + 1 });

/** A prune that ended without completing has perhaps deleted something. */
const released = (state: RepositoryState, run: string): RepositoryState => {
  const after = { ...state, leases: state.leases.filter((lease) => lease.run !== run) };
  return state.pruning?.run === run ? unmarked(after) : after;
};

export const evolveRepository = (state: RepositoryState, event: RepositoryEvent): RepositoryState => {
  switch (event.type) {
    case 'LeaseTaken':
      return { ...state, leases: [...state.leases, { run: event.data.run, mode: event.data.mode }] };
    case 'LeaseReleased':
      return released(state, event.data.run);
    case 'RepositoryStarted':
      return { ...state, started: { sha256: event.data.sha256, run: event.data.run } };
    case 'RepositoryCreated':
      return { ...state, created: { repositoryId: event.data.repositoryId, idKeyId: event.data.idKeyId } };
    case 'SnapshotAdmitted':
      return { ...state, admissions: state.admissions + 1, latest: { snapshot: event.data.snapshot, object: event.data.object } };
    case 'PruneMarked': {
      const { run, condemned } = event.data;
      return { ...state, generation: event.data.generation, pruning: { run, deleting: false, ...(condemned === undefined ? {} : { condemned }) } };
    }
    case 'DeletionStarted':
      return state.pruning ? { ...state, deletions: state.deletions + 1, pruning: { ...state.pruning, deleting: true } } : state;
    case 'RepositoryPruned':
      return unmarked(state);
    case 'RecipientAdded':
      return event.data.class === 'data'
        ? { ...state, dataRecipients: [...state.dataRecipients, event.data.recipient] }
        : { ...state, catalogRecipients: [...state.catalogRecipients, event.data.recipient] };
    default:
      return unreachable(event, 'repository event');
  }
};
