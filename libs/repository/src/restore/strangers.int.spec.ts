import { randomBytes } from 'node:crypto';
import { appendFile, link } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareTrees, filesSource } from '#sources';
import { tempDir } from '#testing';
import { hashOf, sampleRepository } from '../catalog/testing.ts';
import { encodeTrailer } from '../format/pack.ts';
import { identityKeys } from '../keys/key-ring.ts';
import { listSnapshots, packNames } from '../snapshots/list-snapshots.ts';
import { verifyRepository } from '../verify/verify-repository.ts';
import { runRestore } from './run-restore.ts';

describe('a restore', () => {
  it('does not mind a pack that somebody left under a key that nobody has', async () => {
    const sample = await sampleRepository();
    await sample.write('a.bin', 400_000);
    const { snapshot } = await sample.backup();
    const stranger = Buffer.concat([randomBytes(200), encodeTrailer({ directoryLength: 100, catalogKeyId: 'ab'.repeat(16) })]);
    sample.store.objects.set(`packs/${hashOf(stranger).slice(0, 2)}/${hashOf(stranger)}`, stranger);
    const destination = await tempDir('restored');
    const restored = await runRestore({
      reader: sample.store, keys: identityKeys(sample.store, [sample.dataIdentity]), snapshotObject: snapshot.name, packs: packNames(sample.store), destination, mode: 'always',
    });
    expect(restored).toMatchObject({ outcome: 'succeeded', faults: [] });
    expect(await compareTrees(sample.source, join(destination, sample.source), { top: false })).toMatchObject({ identical: true });
  });

  it('of one snapshot does not depend on the others: one flipped bit in one of them is told, and no more', async () => {
    const sample = await sampleRepository();
    await sample.write('a.bin', 1000);
    const first = await sample.backup();
    const second = await sample.backup();
    // The version: the object seems to be of a format of the future.
    sample.store.objects.get(first.snapshot.name)![8]! ^= 2;
    const damaged: string[] = [];
    const found = await listSnapshots(sample.store, (name) => damaged.push(name));
    expect(found.map(({ name }) => name)).toEqual([second.snapshot.name]);
    expect(damaged).toEqual([first.snapshot.name]);
  });
});

it('a file with two names that grows while it is read has one size under both of them', async () => {
  const sample = await sampleRepository();
  await sample.write('a.log', 100_000);
  await link(join(sample.source, 'a.log'), join(sample.source, 'b.log'));
  const source = filesSource({ paths: [sample.source], xattrs: null });
  const made = await sample.backup({ source: { ...source, entries: async function* (options) {
    for await (const batch of source.entries(options)) yield batch;
    // Walked, and not read yet: a batch of files is sent off when the walk is over.
    await appendFile(join(sample.source, 'a.log'), randomBytes(50_000));
  } } });
  expect(made.statistics.bytesRead).toBe(150_000);
  const keys = identityKeys(sample.store, [sample.dataIdentity]);
  expect(await verifyRepository({ store: sample.store, level: 3, keys })).toMatchObject({ outcome: 'intact', findings: [] });
});
