import { describe, expect, it } from 'vitest';
import type { RepositoryCommand } from './repository.commands.ts';
import { repositoryDecider } from './repository.decide.ts';
import { initialRepository, repositoryKey, type RepositoryState } from './repository.state.ts';

const place = { node: 'node_a', target: 'target_a' };
const lease = (run: string, mode: 'shared' | 'exclusive'): RepositoryCommand => ({ type: 'TakeLease', run, mode, ...place });
const release = (run: string): RepositoryCommand => ({ type: 'ReleaseLease', run });
const admit = (snapshot: string, checkedDeletions = 0, repositoryId = 'r1'): RepositoryCommand =>
  ({ type: 'AdmitSnapshot', snapshot, object: `snapshots/${snapshot}/x`, run: 'run_1', attempt: 1, repositoryId, idKeyId: 'k1', checkedDeletions, ...place });
const complete = (run: string): RepositoryCommand => ({ type: 'CompletePrune', run, forgotten: [], deletedObjects: 1, deletedBytes: 2, storedBytes: 30, livePlainBytes: 80, keptPlainBytes: 100 });
const decide = (state: RepositoryState, command: RepositoryCommand) => {
  const decided = repositoryDecider.decide(command, state);
  return decided.ok ? decided.value.map((event) => event.type) : decided.error.code;
};
const after = (...commands: RepositoryCommand[]): RepositoryState =>
  commands.reduce<RepositoryState>((state, command) => {
    const decided = repositoryDecider.decide(command, state);
    if (!decided.ok) throw new Error(decided.error.code);
    return decided.value.reduce(repositoryDecider.evolve, state);
  }, initialRepository);

describe('a repository', () => {
  it('is the same aggregate on every master, before its first object exists', () => {
    expect(repositoryKey('node_a', 'target_a')).toBe(repositoryKey('node_a', 'target_a'));
    expect(repositoryKey('node_a', 'target_b')).not.toBe(repositoryKey('node_a', 'target_a'));
  });
  it('has its first snapshot name its ids, and refuses later ones', () => {
    expect(decide(initialRepository, admit('s1'))).toEqual(['RepositoryCreated', 'SnapshotAdmitted']);
    expect(decide(after(admit('s1')), admit('s2'))).toEqual(['SnapshotAdmitted']);
    expect(decide(after(admit('s1')), admit('s2', 0, 'r2'))).toBe('other-repository');
  });
  it('gives one grant of repository.json: again for the same bytes, never for others', () => {
    const start = (sha256: string): RepositoryCommand => ({ type: 'StartRepository', run: 'run_1', attempt: 1, sha256 });
    expect(decide(initialRepository, start('a'))).toEqual(['RepositoryStarted']);
    expect(decide(after(start('a')), start('a'))).toEqual([]);
    expect(decide(after(start('a')), start('b'))).toBe('repository-exists');
    expect(decide(after(admit('s1')), start('b'))).toBe('repository-exists');
  });
});

describe('leases', () => {
  it('a shared one blocks a prune and no other backup', () => {
    expect(decide(after(lease('run_1', 'shared')), lease('run_2', 'shared'))).toEqual(['LeaseTaken']);
    expect(decide(after(lease('run_1', 'shared')), lease('run_2', 'exclusive'))).toBe('repository-busy');
  });
  it('an exclusive one blocks everything until it is released', () => {
    expect(decide(after(lease('run_1', 'exclusive')), lease('run_2', 'shared'))).toBe('repository-busy');
    expect(decide(after(lease('run_1', 'exclusive'), release('run_1')), lease('run_2', 'shared'))).toEqual(['LeaseTaken']);
  });
  it('taken or released twice change nothing', () => {
    expect(decide(after(lease('run_1', 'exclusive')), lease('run_1', 'exclusive'))).toEqual([]);
    expect(decide(initialRepository, release('run_1'))).toEqual([]);
  });
});

describe('a prune', () => {
  const marked = after(lease('run_1', 'exclusive'), { type: 'MarkPrune', run: 'run_1' });
  const deletion = (run: string, admissions = 0): RepositoryCommand => ({ type: 'StartDeletion', run, admissions });
  const deleting = after(lease('run_1', 'exclusive'), { type: 'MarkPrune', run: 'run_1' }, deletion('run_1'));
  it('marks before it deletes, and only alone', () => {
    expect(decide(after(lease('run_1', 'shared')), { type: 'MarkPrune', run: 'run_1' })).toBe('lease-missing');
    expect(decide(after(lease('run_1', 'exclusive')), complete('run_1'))).toBe('prune-unmarked');
    expect(decide(marked, complete('run_1'))).toBe('prune-unmarked');
    expect(decide(marked, deletion('run_1'))).toEqual(['DeletionStarted']);
    expect(decide(deleting, complete('run_1'))).toEqual(['RepositoryPruned']);
  });
  it('says what it counted when it is complete', () => {
    expect(repositoryDecider.decide(complete('run_1'), deleting)).toEqual({ ok: true, value: [{
      type: 'RepositoryPruned',
      data: { run: 'run_1', generation: 1, forgotten: [], deletedObjects: 1, deletedBytes: 2, storedBytes: 30, livePlainBytes: 80, keptPlainBytes: 100 },
    }] });
  });
  it('begins a generation, once for the same mark', () => {
    expect(marked.generation).toBe(1);
    expect(decide(marked, { type: 'MarkPrune', run: 'run_1' })).toEqual([]);
    expect(decide(marked, { type: 'MarkPrune', run: 'run_1', condemned: 'condemned/x' })).toEqual(['PruneMarked']);
  });
  it('that another run took over from cannot be completed by the first', () => {
    const other = after(lease('run_1', 'exclusive'), { type: 'MarkPrune', run: 'run_1' }, release('run_1'), lease('run_2', 'exclusive'));
    expect(decide(other, complete('run_1'))).toBe('lease-missing');
  });
  it('lets nothing be admitted while it deletes, and deletes nothing after something was admitted', () => {
    expect(decide(deleting, admit('s1', deleting.deletions))).toBe('repository-pruning');
    const late = after(lease('run_1', 'exclusive'), { type: 'MarkPrune', run: 'run_1' }, admit('s1'));
    expect(decide(late, deletion('run_1'))).toBe('prune-outdated');
  });
  it('that dies while it deletes blocks nothing for ever, and what was checked before is checked again', () => {
    const died = repositoryDecider.decide(release('run_1'), deleting);
    const state = died.ok ? died.value.reduce(repositoryDecider.evolve, deleting) : deleting;
    expect(decide(state, admit('s1', deleting.deletions))).toBe('admission-outdated');
    expect(decide(state, admit('s1', state.deletions))).toEqual(['RepositoryCreated', 'SnapshotAdmitted']);
  });
  it('makes an admission that was checked before it check again', () => {
    const pruned = [complete('run_1'), release('run_1')].reduce((state, command) => {
      const decided = repositoryDecider.decide(command, state);
      return decided.ok ? decided.value.reduce(repositoryDecider.evolve, state) : state;
    }, deleting);
    expect(decide(pruned, admit('s1', 0))).toBe('admission-outdated');
    expect(decide(pruned, admit('s1', pruned.deletions))).toEqual(['RepositoryCreated', 'SnapshotAdmitted']);
  });
});
