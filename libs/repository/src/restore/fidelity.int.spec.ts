import { describe, expect, it } from 'vitest';
import { compareTrees, filesSource } from '#sources';
import { makeFidelityTree } from '#sources/testing';
import { tempDir } from '#testing';
import { sampleRepository } from '../catalog/testing.ts';
import { identityKeys } from '../keys/key-ring.ts';
import { runRestore } from './run-restore.ts';

describe('a tree with one of everything', () => {
  it('comes back from the repository as it was', async () => {
    const repository = await sampleRepository();
    const tree = makeFidelityTree(`${repository.source}/tree`);
    const backup = await repository.backup({ source: filesSource({ paths: [tree.root] }) });
    expect(backup.faults).toEqual([]);
    const destination = await tempDir('restored');
    const notes: string[] = [];
    const restored = await runRestore({
      reader: repository.store, keys: identityKeys(repository.store, [repository.dataIdentity]), snapshotObject: backup.snapshot.name,
      packs: [...repository.store.objects.keys()].filter((name) => name.startsWith('packs/')), destination, path: Buffer.from(tree.root.slice(1)),
      mode: 'always', onNote: (code) => notes.push(code),
    });
    expect(restored.faults).toEqual([]);
    expect(notes).toEqual([]);
    const comparison = await compareTrees(tree.root, destination);
    expect(comparison.differences).toEqual([]);
    expect(comparison.files).toBe(restored.statistics.files);
  });
});
