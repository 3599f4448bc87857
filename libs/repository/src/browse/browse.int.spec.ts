import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { withMeter } from '#storage';
import { addPacks, PackCatalog } from '../catalog/pack-catalog.ts';
import { sampleRepository, type SampleRepository } from '../catalog/testing.ts';
import type { PackDirectory } from '../format/read-pack-directory.ts';
import { generateIdentity } from '../format/wrapping.ts';
import { handedKeys, identityKeys, openSealedKeys } from '../keys/key-ring.ts';
import { verifyRepository } from '../verify/verify-repository.ts';
import { type BrowsableSnapshot, browseSnapshot, listPacks } from './browse-snapshot.ts';
import { exportKnownChunks, importKnownChunks } from './known-export.ts';
import { restoreNeeds, sealRestoreNeeds } from './restore-keys.ts';

let sample: SampleRepository;
let snapshotObject = '';
let root = '';
const long = ' with a long name'.repeat(11);
const sub = (i: number): string => `d${i % 7}/sub ${i}${long}`;
const keysOf = () => identityKeys(sample.store, [sample.dataIdentity]);
const namesIn = async (snapshot: BrowsableSnapshot, directory: string): Promise<string[]> => {
  const names = [];
  for await (const { path } of snapshot.list(Buffer.from(directory))) names.push(path.toString().slice(directory.length === 0 ? 0 : directory.length + 1));
  return names;
};

beforeAll(async () => {
  sample = await sampleRepository();
  root = sample.source.slice(1);
  // Three parts of a manifest at least, wherever chance cuts it: a part is at most 1 MiB, and these are 2.3 MB of paths.
  for (let i = 0; i < 60; i++) for (let j = 0; j < 60; j++) await sample.write(`${sub(i)}/file-${j}${long}`, Buffer.from(`${i}.${j}`));
  for (const name of ['a', 'a-b', 'a.b', 'z']) await sample.write(`mixed/${name}/x`, 10);
  await mkdir(join(sample.source, 'empty'));
  snapshotObject = (await sample.backup()).snapshot.name;
});

describe('a snapshot looked into', () => {
  it('shows every directory as it is on the disk', async () => {
    const snapshot = await browseSnapshot({ store: sample.store, keys: keysOf(), snapshotObject });
    expect(snapshot.data.index.length).toBeGreaterThan(2);
    for (const directory of ['', 'd0', 'd6', 'mixed', 'mixed/a', 'mixed/a-b', 'empty', sub(3), sub(59)]) {
      const onDisk = await readdir(join(sample.source, directory)).catch(() => []);
      expect(await namesIn(snapshot, join(root, directory).replace(/\/$/, ''))).toEqual(onDisk.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }
  });

  it('shows the way down from the root to what was backed up', async () => {
    const snapshot = await browseSnapshot({ store: sample.store, keys: keysOf(), snapshotObject });
    const parts = root.split('/');
    for (let depth = 0; depth < parts.length; depth++) expect(await namesIn(snapshot, parts.slice(0, depth).join('/'))).toEqual([parts[depth]]);
  });

  it('finds an entry by its path, and not what is not there', async () => {
    const snapshot = await browseSnapshot({ store: sample.store, keys: keysOf(), snapshotObject });
    expect(await snapshot.find(Buffer.from(`${root}/${sub(3)}/file-17${long}`))).toMatchObject({ type: 'file', size: 4 });
    expect(await snapshot.find(Buffer.from(`${root}/d3`))).toMatchObject({ type: 'directory' });
    expect(await snapshot.find(Buffer.from(`${root}/${sub(3)}/none`))).toBeUndefined();
    await expect(snapshot.find(Buffer.from('../x'))).rejects.toMatchObject({ code: 'manifest-damaged' });
    expect(await namesIn(snapshot, `${root}/none`)).toEqual([]);
  });

  it('opens a directory with one read of the manifest, however large the snapshot is', async () => {
    const store = withMeter(sample.store);
    const cached = new Map<string, PackDirectory>();
    const cache = { get: (name: string) => cached.get(name), set: (name: string, directory: PackDirectory) => void cached.set(name, directory) };
    await browseSnapshot({ store, keys: keysOf(), snapshotObject, cache });
    const snapshot = await browseSnapshot({ store, keys: keysOf(), snapshotObject, cache });
    const before = store.counters.gets;
    expect(await namesIn(snapshot, `${root}/${sub(3)}`)).toHaveLength(60);
    expect(store.counters.gets - before).toBeLessThanOrEqual(2);
  });
});

describe('the needs of a restore', () => {
  it('open this snapshot and no other', async () => {
    const own = await sampleRepository();
    await own.write('a.bin', 300_000);
    const first = await own.backup();
    await own.write('b.bin', 300_000);
    const second = await own.backup();
    const keys = identityKeys(own.store, [own.dataIdentity]);
    const needs = await restoreNeeds({ store: own.store, keys, snapshotObject: first.snapshot.name });
    expect(needs.packs.map((pack) => pack.name)).toEqual(first.packs.map((pack) => pack.name).sort());
    const ring = handedKeys(needs.keys);
    expect((await browseSnapshot({ store: own.store, keys: ring, snapshotObject: first.snapshot.name })).header.snapshot).toBe('snap_1');
    await expect(browseSnapshot({ store: own.store, keys: ring, snapshotObject: second.snapshot.name })).rejects.toMatchObject({ code: 'key-not-available' });
    const all = await restoreNeeds({ store: own.store, keys, snapshotObject: second.snapshot.name });
    const result = await verifyRepository({ store: own.store, level: 3, keys: handedKeys(all.keys), snapshots: new Set(['snap_2']) });
    expect(result).toMatchObject({ outcome: 'intact', checked: { snapshots: 1 } });
  });

  it('travel sealed to one recipient', async () => {
    const agent = await generateIdentity();
    const { sealedKeys } = await sealRestoreNeeds({ store: sample.store, keys: keysOf(), snapshotObject }, agent.recipient);
    const ring = handedKeys(await openSealedKeys(sealedKeys, agent.identity));
    expect((await browseSnapshot({ store: sample.store, keys: ring, snapshotObject })).header.snapshot).toBe('snap_1');
    await expect(openSealedKeys(sealedKeys, (await generateIdentity()).identity)).rejects.toMatchObject({ code: 'key-not-available' });
  });
});

describe('the list of stored chunks', () => {
  it('holds the id of every stored chunk once, in order, without the condemned ones', async () => {
    const own = await sampleRepository();
    await own.write('a.bin', 3_000_000);
    await own.backup();
    await own.backup({ task: 'task_2', generation: 1 });
    const options = { store: own.store, keys: identityKeys(own.store, [own.catalogIdentity]), repositoryId: own.identity.repositoryId };
    const list = await exportKnownChunks(options);
    expect(await own.store.put(list.name, list.body, { sha256: list.sha256 })).toBe('created');
    const ids: string[] = [];
    for await (const id of importKnownChunks(await own.store.get(list.name))) ids.push(Buffer.from(id).toString('hex'));
    const catalog = new PackCatalog();
    await addPacks(catalog, { reader: own.store, ...options }, await listPacks(own.store, {}));
    const stored = Array.from({ length: catalog.locations.size }, (_, copy) => catalog.locations.idOf(copy).toString('hex'));
    expect(stored.length).toBeGreaterThan(new Set(stored).size);
    expect(ids).toEqual([...new Set(stored)].sort());
    const condemned = Buffer.from(ids.slice(0, 2).join(''), 'hex');
    const rest = await exportKnownChunks({ ...options, condemned });
    expect(Buffer.concat(rest.body).subarray(16).toString('hex')).toBe(ids.slice(2).join(''));
    expect((await exportKnownChunks({ ...options, livePacks: new Set() })).chunks).toBe(0);
  });

  it('is refused when it is damaged', async () => {
    const ids = async (object: Buffer) => { const all = []; for await (const id of importKnownChunks(object)) all.push(id); return all; };
    const header = Buffer.from('484f', 'hex');
    await expect(ids(header)).rejects.toMatchObject({ code: 'known-list-damaged' });
    const right = Buffer.concat([Buffer.from('HF-KNOW\n'), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
    expect(await ids(right)).toHaveLength(2);
    await expect(ids(right.subarray(0, -1))).rejects.toMatchObject({ code: 'known-list-damaged' });
    await expect(ids(Buffer.concat([right, Buffer.alloc(32, 1)]))).rejects.toMatchObject({ code: 'known-list-damaged' });
  });
});
