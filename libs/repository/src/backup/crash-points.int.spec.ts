import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fault } from '#kernel';
import { filesSource } from '#sources';
import { fsStore, type MemoryStore, memoryStore, type ObjectWriter } from '#storage';
import { tempDir } from '#testing';
import { generateIdentity } from '../format/wrapping.ts';
import { identityKeys } from '../keys/key-ring.ts';
import { runRestore } from '../restore/run-restore.ts';
import { packNames } from '../snapshots/list-snapshots.ts';
import { ensureWriterIdentity } from '../state/identity.ts';
import { temporaryPath } from '../state/temporary-file.ts';
import { verifyRepository } from '../verify/verify-repository.ts';
import type { BackupOptions, BackupResult } from './backup-options.ts';
import { runBackup } from './run-backup.ts';

const smallFiles = 26;
const allFiles = smallFiles + 1;

let source: string;
let stateDir: string;
let store: MemoryStore;
let person: { identity: string; recipient: string };

const write = async (path: string, bytes: Buffer): Promise<void> => {
  await mkdir(dirname(join(source, path)), { recursive: true });
  await writeFile(join(source, path), bytes);
};

beforeEach(async () => {
  [source, stateDir, store, person] = [await tempDir('source'), await tempDir('state'), memoryStore(), await generateIdentity()];
  for (let i = 0; i < smallFiles; i++) await write(`small/${i}.bin`, randomBytes(40_000));
  await write('large.bin', randomBytes(4_000_000));
});

const backup = async (id: string, change: Omit<Partial<BackupOptions>, 'repository'> & { readonly repository?: Partial<BackupOptions['repository']> } = {}): Promise<BackupResult> => runBackup({
  writer: store, source: filesSource({ paths: [source], xattrs: null }), stateDir,
  subject: { snapshotId: id, taskId: 'task_1', time: '2026-01-01T00:00:00.000Z' }, limits: { workers: 1, packBytes: 512 * 1024 }, ...change,
  repository: {
    identity: await ensureWriterIdentity(stateDir), dataRecipients: [person.recipient], catalogRecipients: [], create: true, generation: 0, ...change.repository,
  },
});

/** A target whose connection breaks for good at the n-th write: before it took effect, or after. */
const breaking = (at: number, when: 'before' | 'after'): ObjectWriter & { writes: number } => ({
  writes: 0,
  async put(name, body, options) {
    this.writes++;
    const broken = this.writes >= at;
    if (!broken || (when === 'after' && this.writes === at)) await store.put(name, body, options);
    if (broken) throw fault('unavailable', 'target-unreachable', 'The target does not answer', { retryable: false });
    return 'created';
  },
});

const expectIdentical = async (result: BackupResult): Promise<void> => {
  const destination = await tempDir('restored');
  const restored = await runRestore({
    reader: store, keys: identityKeys(store, [person.identity]), snapshotObject: result.snapshot.name, packs: packNames(store),
    path: Buffer.from(source.slice(1)), destination, mode: 'always', limits: { workers: 1 },
  });
  expect(restored).toMatchObject({ outcome: 'succeeded', faults: [] });
  for (const folder of ['', 'small']) {
    for (const item of await readdir(join(source, folder), { withFileTypes: true })) {
      const path = join(folder, item.name);
      if (item.isFile()) expect((await readFile(join(destination, path))).equals(await readFile(join(source, path))), path).toBe(true);
    }
  }
};

/** How many writes a whole first backup takes. */
const countWrites = async (): Promise<number> => {
  const counting = breaking(Infinity, 'before');
  await backup('snap_count', { writer: counting, stateDir: await tempDir('other'), repository: { identity: await ensureWriterIdentity(stateDir) } });
  store = memoryStore();
  return counting.writes;
};

describe('an attempt that is cut off', () => {
  it.each(['before', 'after'] as const)('%s any write leaves nothing wrong behind, and the next one makes a whole snapshot', async (when) => {
    const writes = await countWrites();
    expect(writes).toBeGreaterThan(8);
    for (let at = 1; at <= writes; at++) {
      store = memoryStore();
      await Promise.all(['known', 'tasks'].map((name) => rm(join(stateDir, name), { recursive: true, force: true })));
      await expect(backup('snap_cut', { writer: breaking(at, when) })).rejects.toMatchObject({ code: 'target-unreachable' });
      const result = await backup(`snap_${at}`);
      expect(result.outcome).toBe('succeeded');
      await expectIdentical(result);
    }
  }, 300_000);

  it('is gone on with under new keys: what was confirmed is neither read nor stored again', async () => {
    const lastPack = (await countWrites()) - 1;
    await expect(backup('snap_cut', { writer: breaking(lastPack, 'before') })).rejects.toMatchObject({ code: 'target-unreachable' });
    const before = [...store.objects.keys()].filter((name) => name.startsWith('packs/'));
    expect(before.length).toBeGreaterThan(0);
    const result = await backup('snap_whole');
    expect(result.statistics.filesRead).toBeLessThan(allFiles);
    expect(result.adoptedPacks.map((pack) => pack.name).sort()).toEqual(before.sort());
    expect(result.packs.some((pack) => before.includes(pack.name))).toBe(false);
    expect([...store.objects.keys()].filter((name) => name.startsWith('keys/'))).toHaveLength(2);
    await expectIdentical(result);
    expect(await verifyRepository({ store, level: 3, keys: identityKeys(store, [person.identity]) })).toMatchObject({ outcome: 'intact' });
  });

  it('is not gone on with from a journal of another prune generation', async () => {
    await expect(backup('snap_cut', { writer: breaking(8, 'before') })).rejects.toMatchObject({ code: 'target-unreachable' });
    const result = await backup('snap_whole', { repository: { generation: 1 } });
    expect(result).toMatchObject({ adoptedPacks: [], statistics: { filesRead: allFiles } });
    await expectIdentical(result);
  });
});

describe('the next backup', () => {
  it('reads and stores nothing but what changed', async () => {
    await backup('snap_1');
    await write('small/7.bin', randomBytes(40_000));
    const result = await backup('snap_2');
    expect(result.statistics).toMatchObject({ files: allFiles, filesRead: 1, bytesRead: 40_000 });
    expect(result.statistics.storedBytes).toBeLessThan(100_000);
    await expectIdentical(result);
  });

  it('stores again what lay in a pack that the target has lost, and what is condemned', async () => {
    const first = await backup('snap_1');
    const lost = first.packs[0]?.name ?? '';
    store.objects.delete(lost);
    const second = await backup('snap_2', { repository: { presentPacks: new Set(store.objects.keys()) } });
    expect(second.statistics.filesRead).toBeGreaterThan(0);
    await expectIdentical(second);
  });

  it('after the state is lost, or altered, costs time and never correctness', async () => {
    await backup('snap_1');
    const known = await readFile(join(stateDir, 'known'));
    known[known.length >> 1] = (known[known.length >> 1] as number) ^ 1;
    await writeFile(join(stateDir, 'known'), known);
    const second = await backup('snap_2');
    expect(second.statistics.filesRead).toBe(allFiles);
    await rm(join(stateDir, 'tasks'), { recursive: true });
    await rm(join(stateDir, 'known'));
    const third = await backup('snap_3');
    expect(third.statistics.filesRead).toBe(allFiles);
    await expectIdentical(third);
  });
});

describe('files that change while they are read', () => {
  it('are reported, and the rest is kept', async () => {
    const plain = filesSource({ paths: [source], xattrs: null });
    const result = await backup('snap_1', {
      source: {
        description: plain.description,
        async *entries(options) {
          for await (const entries of plain.entries(options)) {
            await rm(join(source, 'small/3.bin'));
            await writeFile(join(source, 'small/4.bin'), 'shorter');
            yield entries;
          }
        },
      },
    });
    expect(result).toMatchObject({ outcome: 'partial', faultCount: 1, faults: [{ path: join(source, 'small/3.bin'), code: 'vanished' }], statistics: { files: allFiles - 1 } });
    await expectIdentical(result);
  });
});

it('what a killed attempt was writing in the state directory goes with the next attempt; what a living one writes stays', async () => {
  const repository = await tempDir('repository');
  const program = join(import.meta.dirname, 'killed.program.ts');
  const killed = spawnSync(process.execPath, ['--conditions=source', program, source, stateDir, repository, person.recipient], { encoding: 'utf8' });
  expect([killed.signal, killed.stderr]).toEqual(['SIGKILL', '']);
  const hidden = async (): Promise<string[]> => (await readdir(stateDir, { recursive: true })).filter((name) => /(^|\/)\./.test(name)).sort();
  const [left = ''] = await hidden();
  expect(left).toMatch(/^tasks\/task_1\/\.manifest\.\d+-\d+\.[0-9a-f]{12}$/);
  // Of processes that had the number of one that lives now, and began at another time.
  const mine = temporaryPath(stateDir, 'known');
  const dead = [process.pid, process.ppid].map((pid) => temporaryPath(stateDir, 'known').replace(/\.\d+-\d+\./, `.${pid}-1.`));
  for (const path of [mine, ...dead, join(stateDir, '.known.0123456789ab'), join(stateDir, '.of-the-user')]) await writeFile(path, 'x');
  await backup('snap_next', { writer: fsStore(repository, { sync: false }) });
  expect(await hidden()).toEqual(['.of-the-user', basename(mine)].sort());
});
