import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import type { RepositoryEvent, RepositoryPlace, RepositoryPruned } from '../../domain/repository.events.ts';
import { RepositoryRow } from './repository.entity.ts';

const empty = (id: string, { node, target }: RepositoryPlace): RepositoryRow => ({
  id, node, target, repositoryId: null, generation: 0, leases: [], snapshots: 0, latestSnapshot: null, prunedAt: null, deletedBytes: 0,
  storedBytes: null, livePlainBytes: null, keptPlainBytes: null, createdAt: null, revision: 0,
});

const pruned = (row: RepositoryRow, { forgotten, deletedBytes, storedBytes, livePlainBytes, keptPlainBytes }: RepositoryPruned['data'], at: Date): RepositoryRow => ({
  ...row, prunedAt: at, snapshots: row.snapshots - forgotten.length, deletedBytes: row.deletedBytes + deletedBytes,
  storedBytes: storedBytes ?? null, livePlainBytes: livePlainBytes ?? null, keptPlainBytes: keptPlainBytes ?? null,
});

const evolveRow = (row: RepositoryRow, event: RepositoryEvent, at: Date): RepositoryRow => {
  switch (event.type) {
    case 'LeaseTaken':
      return { ...row, leases: [...row.leases, { run: event.data.run, mode: event.data.mode }] };
    case 'LeaseReleased':
      return { ...row, leases: row.leases.filter(({ run }) => run !== event.data.run) };
    case 'RepositoryCreated':
      return { ...row, repositoryId: event.data.repositoryId, createdAt: at };
    case 'SnapshotAdmitted':
      return { ...row, snapshots: row.snapshots + 1, latestSnapshot: event.data.snapshot };
    case 'PruneMarked':
      return { ...row, generation: event.data.generation };
    case 'RepositoryPruned':
      return pruned(row, event.data, at);
    case 'RepositoryStarted':
    case 'DeletionStarted':
    case 'RecipientAdded':
      return row;
    default:
      return unreachable(event, 'repository event');
  }
};

/** Repositories with who uses them and when they were pruned. */
export const repositoryRows = readModel<RepositoryRow, RepositoryEvent>({
  name: 'repositories',
  entity: RepositoryRow,
  handles: ['LeaseTaken', 'LeaseReleased', 'RepositoryStarted', 'RepositoryCreated', 'SnapshotAdmitted', 'PruneMarked', 'DeletionStarted', 'RepositoryPruned', 'RecipientAdded'],
  keys: ({ aggregate }) => [aggregate.id],
  evolve: (row, { event, aggregate, context, revision }) => {
    const known = row ?? ('node' in event.data ? empty(aggregate.id, event.data) : undefined);
    return known && { ...evolveRow(known, event, new Date(parseTime(context.time))), revision };
  },
});
