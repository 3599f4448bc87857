import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fault } from '#kernel';
import { fsStore, type MemoryStore, type ObjectLister, type ObjectReader, type ObjectStore } from '#storage';
import { faultyStore } from '#storage/testing';
import { tempDir } from '#testing';
import { copyOf, hashOf, sampleRepository, type SampleRepository } from '../catalog/testing.ts';
import { limits } from '../format/limits.ts';
import { decodeRepositoryFile } from '../format/repository-file.ts';
import { identityKeys } from '../keys/key-ring.ts';
import { listSnapshots } from '../snapshots/list-snapshots.ts';
import type { VerifyLevel, VerifyResult } from './verify-options.ts';
import { verifyRepository } from './verify-repository.ts';

let sample: SampleRepository;
beforeAll(async () => {
  sample = await sampleRepository();
  await sample.write('docs/shared.bin', 900_000);
  for (let i = 0; i < 40; i++) await sample.write(`many/${i}.txt`, 3_000);
  // Twenty chunks and more: their ids are in a list chunk.
  await sample.write('docs/large.bin', 22_000_000);
  await sample.backup();
  await sample.write('docs/only-second.bin', 700_000);
  await sample.backup();
});

const verify = (store: ObjectStore, level: VerifyLevel, identity: 'data' | 'catalog' | 'none' = 'data'): Promise<VerifyResult> =>
  verifyRepository({
    store, level, ...(identity === 'none' ? {} : { keys: identityKeys(store, [identity === 'data' ? sample.dataIdentity : sample.catalogIdentity]) }),
  });

const namesOf = (store: MemoryStore, prefix: string): string[] => [...store.objects.keys()].filter((name) => name.startsWith(prefix)).sort();
const affected = (result: VerifyResult): string[] => [...new Set(result.findings.flatMap((finding) => finding.affected.map((one) => one.snapshot)))].sort();
const lost = (result: VerifyResult): string[] => [...new Set(result.findings.flatMap((finding) => finding.affected.flatMap((one) => one.paths)))].sort();

const damages: [string, (store: MemoryStore, name: string) => void][] = [
  ['missing', (store, name) => store.objects.delete(name)],
  ['empty', (store, name) => store.objects.set(name, Buffer.alloc(0))],
  ['truncated', (store, name) => store.objects.set(name, store.objects.get(name)!.subarray(0, -7))],
  ...([0, 0.3, 0.6, 0.999] as const).map((at): [string, (store: MemoryStore, name: string) => void] => [`bit-flipped at ${at}`, (store, name) => {
    const bytes = store.objects.get(name)!;
    bytes[Math.floor(at * bytes.length)]! ^= 4;
  }]),
];

describe('an undamaged repository', () => {
  it.each([[1, 'none'], [2, 'none'], [1, 'catalog'], ['2c', 'catalog'], ['2c', 'data'], [2, 'data'], [3, 'data']] as const)(
    'is intact at level %s with identity: %s', async (level, identity) => {
      const result = await verify(sample.store, level, identity);
      expect(result.findings).toEqual([]);
      expect(result).toMatchObject({ level, outcome: 'intact', checked: { snapshots: 2 } });
    });

  it.each([[3, 'none', 'identity-missing'], ['2c', 'none', 'identity-missing'], [3, 'catalog', 'key-not-available']] as const)(
    'is not said to be verified at level %s by somebody with identity: %s', async (level, identity, code) => {
      await expect(verify(sample.store, level, identity)).rejects.toMatchObject({ code });
    });

  it('names a snapshot that the event log knows and the target does not', async () => {
    const store = copyOf(sample.store);
    const [name] = namesOf(store, 'snapshots/snap_2/');
    store.objects.delete(name!);
    const result = await verifyRepository({ store, level: 1, expected: [name!, ...namesOf(store, '')] });
    expect(result).toMatchObject({ outcome: 'damaged', findings: [{ kind: 'missing', object: name, affected: [{ snapshot: 'snap_2', whole: true }] }] });
  });
});

describe.each(damages)('an object that is %s', (how, damage) => {
  it.each([
    ['id-key/', 0, ['snap_1', 'snap_2']], ['keys/', 0, undefined], ['catalog-keys/', 0, undefined], ['snapshots/snap_1', 0, ['snap_1']], ['packs/', 0, undefined],
    ['packs/', 1, undefined], ['packs/', 2, undefined],
  ] as const)('of %s (number %i) is reported with what it costs', async (prefix, number, expected) => {
    const store = copyOf(sample.store);
    const name = namesOf(store, prefix)[number]!;
    damage(store, name);
    if (how === 'missing' && prefix.startsWith('snapshots/')) return; // Nothing in the target knows of it: see the event log above.
    const result = await verify(store, 3);
    expect(result.outcome).toBe('damaged');
    expect(result.findings.every((finding) => finding.kind !== 'unreachable')).toBe(true);
    expect(affected(result).length).toBeGreaterThan(0);
    if (expected) expect(affected(result)).toEqual(expected);
    const losses = result.findings.flatMap((finding) => finding.affected);
    expect(losses.every((loss) => loss.whole || loss.paths.length > 0 || loss.places.length > 0)).toBe(true);
  });

  it('of a pack is reported without a data key by its place, and without any key by its name', async () => {
    for (const name of namesOf(sample.store, 'packs/')) {
      const store = copyOf(sample.store);
      damage(store, name);
      if (how !== 'missing') expect((await verify(store, 2, 'none')).findings).toMatchObject([{ object: name }]);
      const result = await verify(store, 2, 'catalog');
      expect(result.outcome).toBe('damaged');
      expect(affected(result).length).toBeGreaterThan(0);
      expect(lost(result)).toEqual([]);
    }
  });

  it('of repository.json is reported', async () => {
    const store = copyOf(sample.store);
    damage(store, 'repository.json');
    const result = await verify(store, 1, 'none');
    expect(result.findings).toMatchObject([{ object: 'repository.json' }]);
  });
});

it('no bit of repository.json can be flipped unnoticed, although its name holds no hash', async () => {
  const whole = sample.store.objects.get('repository.json')!;
  const { repository, idKey } = decodeRepositoryFile(whole);
  const unnoticed: number[] = [];
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const bytes = Buffer.from(whole);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    try {
      const read = decodeRepositoryFile(bytes);
      if (read.repository === repository && read.idKey === idKey) unnoticed.push(bit);
    } catch {
      continue;
    }
  }
  expect(unnoticed).toEqual([]);
});

it.each(['repository', 'idKey'] as const)('a repository.json that names another %s is reported, with snapshots and without', async (field) => {
  const store = copyOf(sample.store);
  const description = JSON.parse(store.objects.get('repository.json')!.toString()) as Record<string, unknown>;
  store.objects.set('repository.json', Buffer.from(JSON.stringify({ ...description, [field]: '0'.repeat(32) })));
  expect((await verify(store, 1, 'none')).findings).toMatchObject([{ object: 'repository.json', code: 'repository-damaged' }]);
  if (field === 'repository') return;
  for (const name of namesOf(store, 'snapshots/')) store.objects.delete(name);
  expect((await verify(store, 1, 'none')).findings).toMatchObject([{ object: 'repository.json', code: 'repository-damaged' }]);
});

describe('an object that is larger than its kind ever is', () => {
  it('is told, and never brought into memory', async () => {
    const folder = await tempDir('oversized');
    const store = fsStore(folder, { sync: false });
    for (const [name, bytes] of sample.store.objects) await store.put(name, [bytes], { sha256: Buffer.from(hashOf(bytes), 'hex') });
    const oversized = ['packs/', 'snapshots/snap_1', 'keys/'].map((prefix) => namesOf(sample.store, prefix)[0]!);
    // Holes: they take no room and are read as zeros.
    for (const name of oversized) await truncate(join(folder, name), 600 * 1024 * 1024);
    let most = 0;
    const lying: ObjectReader & ObjectLister = {
      head: (name, options) => store.head(name, options),
      list: async function* (prefix, options) { for await (const info of store.list(prefix, options)) yield { ...info, size: info.size > limits.packBytes ? 1_000_000 : info.size }; },
      get: async (name, range, options) => {
        const bytes = await store.get(name, range, { maxBytes: 2 ** 30, ...options });
        most = Math.max(most, bytes.length);
        return bytes;
      },
    };
    const keys = identityKeys(lying, [sample.dataIdentity]);
    const { outcome, findings } = await verifyRepository({ store: lying, level: 3, keys });
    expect(outcome).toBe('damaged');
    expect(findings.filter(({ code }) => /^(object|pack)-damaged$/.test(code)).map(({ object }) => object).sort()).toEqual([...oversized].sort());
    expect(most).toBeLessThanOrEqual(limits.packBytes);
    expect(await listSnapshots(lying)).toHaveLength(1);
  });
});

describe('what a damaged pack costs', () => {
  it('is told path by path, and files of other packs are not named', async () => {
    let named = 0;
    for (const name of namesOf(sample.store, 'packs/')) {
      const store = copyOf(sample.store);
      store.objects.delete(name);
      const result = await verify(store, '2c');
      const paths = lost(result).map((path) => path.slice(sample.source.length));
      named += paths.length;
      expect(paths.every((path) => /^\/(docs|many)\//.test(path))).toBe(true);
      if (paths.includes('/docs/only-second.bin')) {
        const loss = result.findings.flatMap((finding) => finding.affected).filter((one) => one.paths.some((path) => path.endsWith('only-second.bin')));
        expect(loss.map((one) => one.snapshot)).toEqual(['snap_2']);
      }
    }
    expect(named).toBeGreaterThan(0);
  });

  it('is nothing when another pack holds a good copy', async () => {
    const twice = await sampleRepository();
    // Less than the smallest cut: one chunk, in the first frame of the only pack.
    await twice.write('a.bin', 200_000);
    await twice.backup();
    const first = namesOf(twice.store, 'packs/');
    await twice.backup({ generation: 1, task: 'task_2' });
    expect(namesOf(twice.store, 'packs/').length).toBeGreaterThan(first.length);
    const bytes = twice.store.objects.get(first[0]!)!;
    bytes[100_000]! ^= 1;
    const result = await verifyRepository({ store: twice.store, level: 3, keys: identityKeys(twice.store, [twice.dataIdentity]) });
    expect(result.findings).toMatchObject([{ object: first[0], affected: [] }]);
  });
});

describe('a fetch that fails', () => {
  it.each(['packs/', 'snapshots/', 'keys/', 'catalog-keys/', 'id-key/', 'repository.json'])('of %s is not called damage', async (prefix) => {
    const broken = faultyStore(sample.store, ({ operation, name }) =>
      (operation === 'get' && name.startsWith(prefix) ? { when: 'before', error: fault('unavailable', 'storage-unavailable', 'down') } : undefined));
    const result = await verify(broken, 3);
    expect(result.outcome).toBe('incomplete');
    expect(new Set(result.findings.map((finding) => finding.kind))).toEqual(new Set(['unreachable']));
  });
});

describe('threads', () => {
  it('find the same as one thread', async () => {
    const store = copyOf(sample.store);
    const name = namesOf(store, 'packs/')[0]!;
    store.objects.get(name)![1000]! ^= 1;
    const keys = identityKeys(store, [sample.dataIdentity]);
    const [one, two] = await Promise.all([0, 2].map((workers) => verifyRepository({ store, level: 3, keys, workers })));
    expect(two).toEqual(one);
  });
});
