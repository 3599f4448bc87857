import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { filesSource } from '#sources';
import { exportKnownChunks, importKnownChunks } from '../browse/known-export.ts';
import { sampleRepository } from '../catalog/testing.ts';
import { identityKeys } from '../keys/key-ring.ts';
import { verifyRepository } from '../verify/verify-repository.ts';

async function* asList(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* importKnownChunks(bytes);
}

const sample = async () => {
  const repository = await sampleRepository();
  await repository.write('a.bin', 900_000);
  for (let i = 0; i < 5; i++) await repository.write(`small/${i}`, 10_000);
  const options = (generation: number, importedKnown: AsyncIterable<Uint8Array>) => ({
    generation, source: filesSource({ paths: [repository.source], xattrs: null }), importedKnown,
  });
  const keys = identityKeys(repository.store, [repository.dataIdentity, repository.catalogIdentity]);
  return { repository, options, keys };
};

describe('a writer whose cache is of another prune generation', () => {
  it('stores nothing again that the imported list of stored chunks names, and goes on from it', async () => {
    const { repository, options, keys } = await sample();
    await repository.backup();
    const { store, identity } = repository;
    const list = await exportKnownChunks({ store, keys, repositoryId: identity.repositoryId });
    const second = await repository.backup(options(1, asList(Buffer.concat(list.body))));
    expect(second.statistics.addedBytes).toBeLessThan(10_000);
    const third = await repository.backup({ generation: 1 });
    expect(third.statistics).toMatchObject({ filesRead: 0 });
    expect(third.statistics.addedBytes).toBeLessThan(10_000);
    expect(await verifyRepository({ store, level: 3, keys })).toMatchObject({ outcome: 'intact' });
  });

  it('stores everything again when the list is damaged', async () => {
    const { repository, options } = await sample();
    await repository.backup();
    const second = await repository.backup(options(1, asList(randomBytes(64))));
    expect(second.outcome).toBe('succeeded');
    expect(second.statistics.addedBytes).toBeGreaterThan(950_000);
  });

  it('never asks for the list while its own cache holds', async () => {
    const { repository, options } = await sample();
    await repository.backup();
    const unasked = (async function* (): AsyncGenerator<Uint8Array> { throw new Error('asked'); })();
    expect(await repository.backup(options(0, unasked))).toMatchObject({ outcome: 'succeeded', statistics: { filesRead: 0 } });
  });
});
