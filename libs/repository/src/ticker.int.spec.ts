import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '#kernel';
import type { ObjectReader, ObjectWriter } from '#storage';
import { tempDir, waitUntil } from '#testing';
import type { BackupProgress } from './backup/backup-options.ts';
import { sampleRepository } from './catalog/testing.ts';
import { identityKeys } from './keys/key-ring.ts';
import type { RestoreProgress } from './restore/restore-options.ts';
import { runRestore } from './restore/run-restore.ts';

const size = 80_000_000;

/** A gate that lets nobody through until it is opened. */
const gate = () => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => { open = resolve; });
  return { open: () => open(), opened };
};

/** Moves the clock until a progress was told that `is` right. */
const until = <T>(clock: FakeClock, seen: readonly T[], is: (progress: T) => boolean) => waitUntil(async () => {
  await clock.advance(1_000);
  return seen.some(is);
});

describe('the progress of one large file', () => {
  it('moves while it is backed up and while it is restored, and ends at its size', async () => {
    const repository = await sampleRepository();
    await repository.write('large', size);
    const clock = new FakeClock();
    const backedUp: BackupProgress[] = [];
    const full = gate();
    // The target takes no pack until it was seen that reading has begun.
    const writer: ObjectWriter = {
      put: async (name, body, options) => {
        if (name.startsWith('packs/')) await full.opened;
        return repository.store.put(name, body, options);
      },
    };
    const making = repository.backup({ writer, clock, onProgress: (progress) => backedUp.push(progress) });
    await until(clock, backedUp, ({ files, bytes }) => files === 0 && bytes > 16_000_000);
    full.open();
    const made = await making;
    const bytes = backedUp.map((progress) => progress.bytes);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(made.statistics).toMatchObject({ files: 1, bytes: size });
    expect(bytes.at(-1)).toBe(size);

    const restored: RestoreProgress[] = [];
    const last = gate();
    let fetched = 0;
    const reader: ObjectReader = {
      head: (name) => repository.store.head(name),
      get: async (name, range, options) => {
        if (fetched > size / 2) await last.opened;
        const part = await repository.store.get(name, range, options);
        fetched += part.length;
        return part;
      },
    };
    const putting = runRestore({
      reader, keys: identityKeys(repository.store, [repository.dataIdentity]), snapshotObject: made.snapshot.name,
      packs: [...repository.store.objects.keys()].filter((name) => name.startsWith('packs/')), destination: await tempDir('restored'), mode: 'always', clock,
      onProgress: (progress) => restored.push(progress),
    });
    await until(clock, restored, ({ files, bytes: written }) => files === 0 && written > 0);
    last.open();
    expect((await putting).statistics).toMatchObject({ files: 1, bytes: size });
  }, 60_000);

  it('never says more than the snapshot holds, with unchanged files beside those that are read', async () => {
    const repository = await sampleRepository();
    await repository.write('small', 1_000);
    const seen: BackupProgress[] = [];
    await repository.backup({ onProgress: (progress) => seen.push(progress) });
    await repository.write('other', 2_000_000);
    const made = await repository.backup({ onProgress: (progress) => seen.push(progress) });
    expect(Math.max(...seen.map(({ bytes }) => bytes))).toBeLessThanOrEqual(made.statistics.bytes);
  });

  it('is told as a share of what the last snapshot of the task held, until there is more than that', async () => {
    const repository = await sampleRepository();
    const totalsOf = (seen: readonly (BackupProgress | RestoreProgress)[]) =>
      new Set(seen.filter(({ phase }) => phase === 'content').map(({ totalFiles, totalBytes, estimated }) => `${totalFiles} ${totalBytes} ${estimated}`));
    const backup = async () => {
      const seen: BackupProgress[] = [];
      return { ...await repository.backup({ onProgress: (progress) => seen.push(progress) }), seen };
    };
    await repository.write('a', 300_000);
    await repository.write('b', 2_000);
    expect(totalsOf((await backup()).seen)).toEqual(new Set(['undefined undefined undefined']));
    expect(totalsOf((await backup()).seen)).toEqual(new Set(['2 302000 true']));
    await repository.write('c', 400_000);
    const third = await backup();
    expect(totalsOf(third.seen.slice(-1))).toEqual(new Set(['undefined undefined undefined']));

    const restore = async (change: { readonly path?: Buffer }) => {
      const seen: RestoreProgress[] = [];
      await runRestore({
        reader: repository.store, keys: identityKeys(repository.store, [repository.dataIdentity]), snapshotObject: third.snapshot.name, destination,
        packs: [...repository.store.objects.keys()].filter((name) => name.startsWith('packs/')), mode: 'if-changed', clock: new FakeClock(), onProgress: (progress) => seen.push(progress), ...change,
      });
      return seen;
    };
    const destination = await tempDir('restored');
    expect(totalsOf(await restore({}))).toEqual(new Set(['3 702000 true']));
    await rm(join(destination, repository.source, 'b'));
    // What is right already is not a part of the work.
    expect(totalsOf(await restore({}))).toEqual(new Set(['1 2000 true']));
    expect(totalsOf(await restore({ path: Buffer.from(repository.source.slice(1)) }))).toEqual(new Set(['undefined undefined undefined']));
  });
});
