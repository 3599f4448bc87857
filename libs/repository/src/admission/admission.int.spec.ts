import { beforeAll, describe, expect, it } from 'vitest';
import type { SnapshotProposal } from '#contracts';
import { fault } from '#kernel';
import type { MemoryStore } from '#storage';
import { faultyStore } from '#storage/testing';
import type { BackupResult } from '../backup/backup-options.ts';
import { copyOf, hashOf, sampleRepository, type SampleRepository } from '../catalog/testing.ts';
import { catalogChunkId } from '../format/chunk-id.ts';
import { encodeFrame, frameCipher } from '../format/frame.ts';
import { frameClass } from '../format/limits.ts';
import { objectNames } from '../format/names.ts';
import { sealDirectory } from '../format/pack.ts';
import { identityKeys } from '../keys/key-ring.ts';
import type { AdmissionOptions } from './admission-options.ts';
import { admitSnapshot } from './admit-snapshot.ts';

let sample: SampleRepository;
let first: BackupResult;
let second: BackupResult;
const proposalOf = (result: BackupResult): SnapshotProposal => ({
  id: result.snapshot.id, object: { name: result.snapshot.name, size: result.snapshot.size }, repositoryId: result.repositoryId, idKeyId: result.idKeyId,
  keys: [...result.keys], packs: [...result.packs], adoptedPacks: [...result.adoptedPacks],
});
const admit = (result: BackupResult, change: Partial<AdmissionOptions> = {}) => {
  const store = change.store ?? sample.store;
  return admitSnapshot({
    store, keys: identityKeys(store, [sample.catalogIdentity]), proposal: proposalOf(result), faultCount: 0, expected: { snapshot: result.snapshot.id }, ...change,
  });
};

/** A pack of the attempt with one chunk that its snapshot does not use. */
const garbagePack = async (store: MemoryStore, result: BackupResult) => {
  const keys = identityKeys(store, [sample.catalogIdentity]);
  const key = await keys.get('catalog', result.keys.find((one) => one.class === 'catalog')!.keyId);
  const cipher = frameCipher(result.repositoryId, key);
  const plain = Buffer.from('waste');
  const frame = encodeFrame(cipher, frameClass.catalog, plain);
  const { directory, trailer } = sealDirectory(cipher, [{
    offset: 0, length: frame.sealed.length, class: frameClass.catalog, codec: frame.codec, keyId: key.id, plainLength: plain.length,
    chunks: [{ id: catalogChunkId(plain), length: plain.length }],
  }]);
  const bytes = Buffer.concat([frame.sealed, directory, trailer]);
  const name = objectNames.pack(Buffer.from(hashOf(bytes), 'hex'));
  store.objects.set(name, bytes);
  return { name, size: bytes.length };
};

beforeAll(async () => {
  sample = await sampleRepository();
  await sample.write('large.bin', 22_000_000);
  for (let i = 0; i < 20; i++) await sample.write(`small/${i}`, 2_000);
  first = await sample.backup();
  await sample.write('more.bin', 400_000);
  second = await sample.backup();
});

describe('admission, by a catalog recipient', () => {
  it('admits what a real attempt proposes, the first and a later one', async () => {
    expect(await admit(first)).toMatchObject({ admitted: true, counts: { unreferencedChunks: 0 } });
    expect(await admit(second, { expected: { snapshot: 'snap_2', repositoryId: first.repositoryId, idKeyId: first.idKeyId, previous: first.snapshot.sha256 } }))
      .toMatchObject({ admitted: true, header: { snapshot: 'snap_2' } });
  });

  it('refuses a snapshot of another name, repository or predecessor', async () => {
    expect(await admit(first, { expected: { snapshot: 'snap_9' } })).toMatchObject({ admitted: false, code: 'snapshot-mismatch' });
    expect(await admit(first, { expected: { snapshot: 'snap_1', repositoryId: '0'.repeat(32) } })).toMatchObject({ code: 'snapshot-mismatch' });
    expect(await admit(second, { expected: { snapshot: 'snap_2', previous: null } })).toMatchObject({ code: 'snapshot-mismatch' });
  });

  it('refuses when any object that the proposal names is missing, short, or holds other bytes', async () => {
    const names = [first.snapshot.name, ...first.packs.map((pack) => pack.name), ...[...sample.store.objects.keys()].filter((name) => /keys?\//.test(name))];
    for (const name of names.filter((one) => !first.keys.every((key) => !one.includes(key.keyId)) || one.startsWith('packs/') || one.startsWith('snapshots/'))) {
      const [gone, short] = [copyOf(sample.store), copyOf(sample.store)];
      gone.objects.delete(name);
      short.objects.set(name, short.objects.get(name)!.subarray(0, -1));
      expect((await admit(first, { store: gone })).admitted).toBe(false);
      expect((await admit(first, { store: short })).admitted).toBe(false);
    }
  });

  it('refuses a damaged directory, and references into packs that are not there', async () => {
    const store = copyOf(sample.store);
    const bytes = store.objects.get(first.packs[0]!.name)!;
    bytes[bytes.length - 70]! ^= 1;
    expect(await admit(first, { store })).toMatchObject({ admitted: false, code: 'object-damaged' });
    const without = copyOf(sample.store);
    without.objects.delete(first.packs[0]!.name);
    expect(await admit(second, { store: without })).toMatchObject({ admitted: false, code: 'chunk-missing' });
  });

  it('refuses packs whose frames are under the keys of another attempt', async () => {
    const proposal = { ...proposalOf(second), packs: [...second.packs, first.packs[0]!] };
    expect(await admit(second, { proposal })).toMatchObject({ admitted: false, code: 'key-foreign' });
  });

  it('refuses a proposal without the keys of its attempt', async () => {
    expect(await admit(first, { proposal: { ...proposalOf(first), keys: first.keys.filter((key) => key.class !== 'data') } }))
      .toMatchObject({ admitted: false, code: 'key-missing' });
  });

  it('refuses uploaded chunks that nothing refers to, unless faults or an interrupted attempt explain them', async () => {
    const store = copyOf(sample.store);
    const pack = await garbagePack(store, second);
    const proposal = { ...proposalOf(second), packs: [...second.packs, pack] };
    expect(await admit(second, { store, proposal })).toMatchObject({ admitted: false, code: 'chunk-unreferenced' });
    expect(await admit(second, { store, proposal, faultCount: 1 })).toMatchObject({ admitted: true, counts: { unreferencedChunks: 1, unreferencedBytes: 5 } });
    const adopted = { ...proposal, adoptedPacks: [first.packs[0]!] };
    expect(await admit(second, { store, proposal: adopted })).toMatchObject({ admitted: true });
  });

  it('refuses what a prune has condemned, unless the attempt brought its own copy', async () => {
    const catalogOf = async (condemned: Uint8Array, result: BackupResult) => admit(result, { condemned });
    const ids: Buffer[] = [];
    const { PackCatalog, addPacks } = await import('../catalog/pack-catalog.ts');
    const catalog = new PackCatalog();
    await addPacks(catalog, { reader: sample.store, keys: identityKeys(sample.store, [sample.catalogIdentity]), repositoryId: first.repositoryId }, first.packs);
    for (let i = 0; i < catalog.locations.size; i++) ids.push(catalog.locations.idOf(i));
    expect(await catalogOf(Buffer.concat(ids), second)).toMatchObject({ admitted: false, code: 'chunk-condemned' });
    expect(await catalogOf(Buffer.concat(ids), first)).toMatchObject({ admitted: true });
  });

  it('throws, and does not refuse, when the target does not answer', async () => {
    for (const operation of ['get', 'head', 'list'] as const) {
      const store = faultyStore(sample.store, (call) => (call.operation === operation ? { when: 'before', error: fault('unavailable', 'storage-unavailable', 'down') } : undefined));
      await expect(admit(first, { store })).rejects.toMatchObject({ code: 'storage-unavailable' });
    }
  });
});
