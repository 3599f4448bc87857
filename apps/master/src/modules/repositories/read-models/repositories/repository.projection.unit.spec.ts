import { describe, expect, it } from 'vitest';
import { projectionSpecification } from '#projections/testing';
import type { RepositoryEvent, RepositoryPruned } from '../../domain/repository.events.ts';
import { repositoryRows } from './repository.projection.ts';

const event = (given: RepositoryEvent) => ({ aggregate: { type: 'repository', id: 'repo_a' }, event: given });
const taken = event({ type: 'LeaseTaken', data: { run: 'run_1', mode: 'exclusive', node: 'node_a', target: 'target_a' } });
const pruned = (deletedBytes: number, counts: Partial<RepositoryPruned['data']> = {}) =>
  event({ type: 'RepositoryPruned', data: { run: 'run_1', generation: 1, forgotten: [], deletedObjects: 1, deletedBytes, ...counts } });

describe('a repository in the list', () => {
  it('shows what the last prune counted, and all that prunes deleted', () => {
    const counts = { storedBytes: 30, livePlainBytes: 80, keptPlainBytes: 100 };
    const rows = projectionSpecification(repositoryRows).given(taken, pruned(5, { storedBytes: 1, livePlainBytes: 1, keptPlainBytes: 1 }), pruned(2, counts));
    expect(rows.get('repo_a')).toMatchObject({ ...counts, deletedBytes: 7 });
  });
  it('takes prunes of a time that counted nothing', () => {
    const rows = projectionSpecification(repositoryRows).given(taken, pruned(5));
    expect(rows.get('repo_a')).toMatchObject({ deletedBytes: 5, storedBytes: null, livePlainBytes: null, keptPlainBytes: null });
  });
});
