import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fault, systemClock } from '#kernel';
import { faultyStore } from '#storage/testing';
import type { MemoryStore, ObjectStore } from '#storage';
import { tempDir } from '#testing';
import { copyOf, sampleRepository, type SampleRepository } from '../catalog/testing.ts';
import { identityKeys } from '../keys/key-ring.ts';
import { verifyRepository } from '../verify/verify-repository.ts';
import type { PruneOptions } from './prune-options.ts';
import { pruneRepository } from './prune-repository.ts';
import { retain } from './retention.ts';

let sample: SampleRepository;
let base: MemoryStore;

/** Three snapshots: the first pack holds a file that only the first needs, and many that all need. */
const prepare = async (): Promise<SampleRepository> => {
  const made = await sampleRepository();
  for (let i = 0; i < 12; i++) await made.write(`shared/${i}.bin`, 300_000);
  await made.write('only-first.bin', 6_000_000);
  await made.backup();
  await rm(join(made.source, 'only-first.bin'));
  await made.write('second.bin', 600_000);
  await made.backup();
  await made.write('third.bin', 600_000);
  await made.backup();
  return made;
};
beforeAll(async () => {
  sample = await prepare();
  base = copyOf(sample.store);
});

const prune = (store: ObjectStore, last: number, change: Partial<PruneOptions> = {}, by: SampleRepository = sample) => pruneRepository({
  store, clock: systemClock, keys: identityKeys(store, [by.catalogIdentity]),
  keep: (snapshots) => new Set(retain(snapshots.map(({ header }) => ({ id: header.snapshot, time: Date.parse(header.time) })), { last }).keys()), ...change,
});
const verify = (store: ObjectStore, by: SampleRepository = sample) => verifyRepository({ store, level: 3, keys: identityKeys(store, [by.dataIdentity]) });
const count = (store: MemoryStore, prefix: string): number => [...store.objects.keys()].filter((name) => name.startsWith(prefix)).length;
const stored = (store: MemoryStore): number => [...store.objects].filter(([name]) => name.startsWith('packs/')).reduce((sum, [, bytes]) => sum + bytes.length, 0);

describe('prune, by a catalog recipient', () => {
  it('removes what only removed snapshots needed, and leaves the others whole', async () => {
    const store = copyOf(base);
    const result = await prune(store, 2);
    expect(result).toMatchObject({ removedSnapshots: ['snap_1'], snapshotsKept: 2, packsRewritten: 1, notes: [], dryRun: false });
    expect(result.storedBefore - result.storedAfter).toBeGreaterThan(3_000_000);
    expect(Math.abs(stored(store) - result.storedAfter)).toBeLessThan(2_000);
    expect(count(store, 'snapshots/')).toBe(2);
    expect(await verify(store)).toMatchObject({ outcome: 'intact', findings: [], checked: { snapshots: 2 } });
    expect(await prune(store, 2)).toMatchObject({ packsRewritten: 0, packsRemoved: 0, removedSnapshots: [], removedKeys: 0 });
  });

  it('keeps the keys that moved frames are under, and removes those that nothing is under any more', async () => {
    const store = copyOf(base);
    await prune(store, 1);
    const before = count(store, 'keys/');
    expect(await verify(store)).toMatchObject({ outcome: 'intact', checked: { snapshots: 1 } });
    expect(before).toBeLessThanOrEqual(count(base, 'keys/'));
    const replaced = await prepare();
    for (let i = 0; i < 12; i++) await replaced.write(`shared/${i}.bin`, 300_000);
    await replaced.write('second.bin', 10);
    await replaced.write('third.bin', 10);
    await replaced.backup();
    const result = await prune(replaced.store, 1, {}, replaced);
    expect(result.removedKeys).toBe(6);
    expect(count(replaced.store, 'keys/')).toBe(1);
    expect(await verify(replaced.store, replaced)).toMatchObject({ outcome: 'intact', findings: [] });
  });

  it('a dry run changes nothing and tells the same numbers', async () => {
    const store = copyOf(base);
    const dry = await prune(store, 1, { dryRun: true });
    expect([...store.objects.keys()]).toEqual([...base.objects.keys()]);
    const { storedAfter, packsRewritten, livePlain, keptPlain } = await prune(store, 1);
    expect(dry).toMatchObject({ dryRun: true, storedAfter, packsRewritten, livePlain, keptPlain });
    expect(keptPlain).toBeGreaterThanOrEqual(livePlain);
  });

  it('deletes nothing when something that is to be kept cannot be followed', async () => {
    for (const prefix of ['packs/', 'snapshots/snap_3', 'catalog-keys/']) {
      for (const damage of ['missing', 'flipped'] as const) {
        const store = copyOf(base);
        for (const name of [...store.objects.keys()].filter((one) => one.startsWith(prefix))) {
          if (damage === 'missing' && prefix.startsWith('snapshots')) continue;
          if (damage === 'missing') store.objects.delete(name);
          else store.objects.get(name)![40]! ^= 1;
        }
        const names = [...store.objects.keys()];
        const outcome = await prune(store, 2, { minDead: 0 }).then((result) => result.notes.length === 0 ? 'pruned' : 'left alone', (error: { code: string }) => error.code);
        if (prefix.startsWith('snapshots') && damage === 'missing') continue;
        expect(['prune-unsafe', 'left alone', 'key-not-available']).toContain(outcome);
        if (outcome !== 'left alone') expect([...store.objects.keys()]).toEqual(names);
      }
    }
  });

  it('throws, having deleted nothing, when the target does not answer', async () => {
    const store = copyOf(base);
    const broken = faultyStore(store, ({ operation, name }) =>
      (operation === 'get' && name.startsWith('packs/') ? { when: 'before', error: fault('unavailable', 'storage-unavailable', 'down') } : undefined));
    await expect(prune(broken, 1)).rejects.toMatchObject({ code: 'storage-unavailable' });
    expect([...store.objects.keys()]).toEqual([...base.objects.keys()]);
  });

  it('does not carry a damaged pack on under a new name', async () => {
    const store = copyOf(base);
    const [largest] = [...store.objects].filter(([name]) => name.startsWith('packs/')).sort((a, b) => b[1].length - a[1].length);
    largest![1][2_000_000]! ^= 1;
    const result = await prune(store, 2);
    expect(result.notes).toEqual([`${largest![0]} was left alone: it is damaged; verify the repository`]);
    expect(store.objects.has(largest![0])).toBe(true);
  });

  it('of two copies of a chunk keeps that of the earlier attempt', async () => {
    const twice = await sampleRepository();
    await twice.write('a.bin', 900_000);
    await twice.backup();
    const first = new Set([...twice.store.objects.keys()].filter((name) => name.startsWith('packs/')));
    // Beside the source: nothing of it is in a manifest.
    await tempDir('beside');
    await twice.backup({ generation: 1, task: 'task_2' });
    await prune(twice.store, 2, {}, twice);
    expect([...first].every((name) => twice.store.objects.has(name))).toBe(true);
    expect(stored(twice.store)).toBeLessThan(1_000_000);
    expect(await verify(twice.store, twice)).toMatchObject({ outcome: 'intact', checked: { snapshots: 2 } });
  });
});

describe('a prune that is killed', () => {
  it('between any two steps leaves every kept snapshot whole, and the next one finishes', async () => {
    const counting = faultyStore(copyOf(base), () => undefined);
    await prune(counting, 1);
    let tried = 0;
    for (let step = 1; step <= counting.calls(); step++) {
      for (const when of ['before', 'after'] as const) {
        const store = copyOf(base);
        let isMutation = false;
        const killed = faultyStore(store, ({ number, operation }) => {
          if (number === step) isMutation = operation === 'put' || operation === 'delete';
          return number >= step ? { when: number === step ? when : 'before', error: new Error('killed') } : undefined;
        });
        await prune(killed, 1).catch(() => undefined);
        if (!isMutation) continue;
        tried++;
        const after = await verify(store);
        expect(after.findings).toEqual([]);
        await prune(store, 1);
        expect(count(store, 'snapshots/')).toBe(1);
        expect(stored(store)).toBeLessThan(stored(base) - 3_000_000);
        expect((await verify(store)).findings).toEqual([]);
      }
    }
    expect(tried).toBeGreaterThanOrEqual(8);
  }, 300_000);
});

describe('keys that nothing is under', () => {
  const aged = (store: ObjectStore, modified: number): ObjectStore => ({
    ...store, list: async function* (prefix, options) { for await (const info of store.list(prefix, options)) yield { ...info, modified }; },
  });
  const old = (store: ObjectStore): ObjectStore => aged(store, Date.now() - 8 * 86_400_000);
  /** The first snapshot is forgotten and deleted with all it needed, but for its keys: there the prune was killed. */
  const killed = async (): Promise<SampleRepository> => {
    const made = await sampleRepository();
    await made.write('a.bin', 300_000);
    await made.backup();
    await made.write('a.bin', 300_000);
    await made.backup();
    const dying = faultyStore(made.store, ({ operation, name }) => (operation === 'delete' && name.includes('keys/') ? { when: 'before', error: new Error('killed') } : undefined));
    await expect(prune(dying, 1, {}, made)).rejects.toThrow('killed');
    expect([count(made.store, 'snapshots/'), count(made.store, 'keys/'), count(made.store, 'catalog-keys/')]).toEqual([1, 2, 2]);
    return made;
  };

  it('since a prune was killed before it came to them, are removed by the next one', async () => {
    const made = await killed();
    expect(await prune(old(made.store), 1, {}, made)).toMatchObject({ removedKeys: 2, packsRemoved: 0, removedSnapshots: [] });
    expect([count(made.store, 'keys/'), count(made.store, 'catalog-keys/')]).toEqual([1, 1]);
    expect(await verify(made.store, made)).toMatchObject({ outcome: 'intact', findings: [] });
  });

  it('stay while a backup may run that has stored no pack yet, and where the target does not tell how old they are', async () => {
    const made = await killed();
    expect(await prune(aged(made.store, Date.now() - 6 * 86_400_000), 1, {}, made)).toMatchObject({ removedKeys: 0 });
    expect(await prune(made.store, 1, {}, made)).toMatchObject({ removedKeys: 0 });
  });

  it('stay when they were not there at the first look, whatever the clocks say', async () => {
    const made = await killed();
    const late = 'f'.repeat(32);
    const marked = async (): Promise<void> => { made.store.objects.set(`keys/${late}/${'0'.repeat(64)}`, Buffer.from('a key of a backup that began now')); };
    expect(await prune(old(made.store), 1, { hooks: { marked } }, made)).toMatchObject({ removedKeys: 2 });
    expect(count(made.store, `keys/${late}/`)).toBe(1);
  });

  it('stay while a pack cannot be read: it may be under them', async () => {
    const made = await killed();
    made.store.objects.set(`packs/00/${'0'.repeat(64)}`, Buffer.alloc(100_000));
    expect(await prune(old(made.store), 1, {}, made)).toMatchObject({ removedKeys: 0, notes: [expect.stringContaining('was left alone')] });
  });
});

describe('a prune that is believed dead and is not', () => {
  it('may delete what it planned after another one has done the work anew: nothing is lost', async () => {
    // Which of two copies is met first depends on the names of the packs, which are another each time.
    for (let time = 0; time < 6; time++) {
      const store = copyOf(base);
      let atDeletion: () => void = () => undefined;
      let goOn: () => void = () => undefined;
      const begun = new Promise<void>((resolve) => { atDeletion = resolve; });
      const released = new Promise<void>((resolve) => { goOn = resolve; });
      const slow: ObjectStore = { ...store, delete: async (name) => {
        atDeletion();
        await released;
        await store.delete(name);
      } };
      const first = prune(slow, 1);
      await begun;
      const packs = count(store, 'packs/');
      await prune(store, 1);
      goOn();
      await first;
      expect(packs).toBeGreaterThan(count(store, 'packs/'));
      expect((await verify(store)).findings).toEqual([]);
    }
  }, 120_000);
});

describe('a backup that races with a prune', () => {
  it('when it began before the mark, its snapshot counts at the second mark', async () => {
    const raced = await prepare();
    await raced.write('only-first.bin', 10);
    const result = await prune(raced.store, 1, {
      hooks: {
        // An attempt that knows the chunks of the first snapshot still: it ends before the wait does.
        marked: async () => { await raced.backup(); },
      },
    }, raced);
    expect(result).toMatchObject({ removedSnapshots: ['snap_1', 'snap_2'], snapshotsKept: 2 });
    expect(await verify(raced.store, raced)).toMatchObject({ outcome: 'intact', findings: [], checked: { snapshots: 2 } });
  });

  it('when it refers to what the mark condemned, that stays', async () => {
    const raced = await sampleRepository();
    const bytes = await raced.write('a.bin', 4_000_000);
    await raced.write('b.bin', 400_000);
    await raced.backup();
    await rm(join(raced.source, 'a.bin'));
    await raced.backup();
    let condemned = 0;
    await prune(raced.store, 1, {
      hooks: {
        marked: async (ids) => {
          condemned = ids.length / 32;
          await raced.write('again.bin', bytes);
          const attempt = await raced.backup();
          expect(attempt.statistics.addedBytes).toBeLessThan(100_000); // It trusted the chunks that were just condemned.
        },
      },
    }, raced);
    expect(condemned).toBeGreaterThan(0);
    expect(await verify(raced.store, raced)).toMatchObject({ outcome: 'intact', findings: [], checked: { snapshots: 2 } });
  });

  it('when it began after the mark, it does not lean on what is condemned', async () => {
    const raced = await sampleRepository();
    const bytes = await raced.write('a.bin', 4_000_000);
    await raced.write('b.bin', 400_000);
    await raced.backup();
    await rm(join(raced.source, 'a.bin'));
    await raced.backup();
    let condemned: Uint8Array = new Uint8Array(0);
    await prune(raced.store, 1, {
      hooks: {
        marked: async (ids) => { condemned = Uint8Array.from(ids); },
        // The worst moment: nothing marks again after this.
        beforeDelete: async () => {
          await raced.write('again.bin', bytes);
          const attempt = await raced.backup({ generation: 1, condemned });
          expect(attempt.statistics.addedBytes).toBeGreaterThan(250_000);
        },
      },
    }, raced);
    expect(await verify(raced.store, raced)).toMatchObject({ outcome: 'intact', findings: [], checked: { snapshots: 2 } });
  });

  it('a refusal before the deletion leaves everything in place', async () => {
    const store = copyOf(base);
    await expect(prune(store, 1, { hooks: { beforeDelete: () => Promise.reject(new Error('somebody was first')) } })).rejects.toThrow('somebody was first');
    expect([...base.objects.keys()].every((name) => store.objects.has(name))).toBe(true);
  });
});
