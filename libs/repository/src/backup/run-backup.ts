import { createHash } from 'node:crypto';
import type { WrappedKey } from '#contracts';
import { type Clock, systemClock } from '#kernel';
import { type AttemptKeys, deriveSubkeys, generateAttemptKeys, type Subkeys } from '../format/keys.ts';
import { defaultChunker } from '../format/limits.ts';
import { objectNames } from '../format/names.ts';
import type { ManifestPart } from '../format/sections.ts';
import { Journal } from '../state/journal.ts';
import { packsOf, writeKnownChunks } from '../state/known-chunks.ts';
import { KnownLookup } from '../state/known-lookup.ts';
import { ManifestCacheWriter } from '../state/manifest-cache.ts';
import { type Totals, writeTotals } from '../state/totals.ts';
import { startTicker } from '../ticker.ts';
import type { BackupLimits, BackupOptions, BackupProgress, BackupResult } from './backup-options.ts';
import { type BackupState, openBackupState, packedIds } from './backup-state.ts';
import { ChangeDetector } from './changes.ts';
import { ConfirmedFiles } from './confirmed-files.ts';
import type { ContentWorkerData, PackMessage } from './content-messages.ts';
import { ContentPool } from './content-pool.ts';
import { EntryFlow } from './entry-flow.ts';
import { FaultList } from './fault-list.ts';
import { ManifestMaker } from './manifest-maker.ts';
import { ObjectPutter } from './object-putter.ts';
import { createClaimsMemory } from './shared-index.ts';
import { createRepository, writeAttemptKeys } from './write-keys.ts';
import { makeSections, sealSnapshot } from './write-snapshot.ts';

const defaults: BackupLimits = { workers: 2, readers: 64, packBytes: 16 * 1024 * 1024, windowBytes: 8 * 1024 * 1024 };

interface StoredPack {
  readonly name: string;
  readonly size: number;
  readonly ids: Uint8Array;
}

/** Milliseconds by phase. */
class Phases {
  readonly spent: Record<string, number> = {};
  private readonly clock: Clock;
  private since: number;

  constructor(clock: Clock) {
    this.clock = clock;
    this.since = clock.monotonic();
  }

  end(phase: string): void {
    const now = this.clock.monotonic();
    this.spent[phase] = Math.round(now - this.since);
    this.since = now;
  }
}

/** One attempt at one snapshot. */
class BackupAttempt {
  private readonly options: BackupOptions;
  private readonly limits: BackupLimits;
  private readonly state: BackupState;
  private readonly keys: AttemptKeys = generateAttemptKeys();
  private readonly subkeys: Subkeys;
  private readonly putter: ObjectPutter;
  private readonly faults = new FaultList();
  private readonly phases: Phases;
  private readonly packs: StoredPack[] = [];
  private readonly closedPacks: SharedArrayBuffer;
  private readonly readBytes: BigInt64Array<SharedArrayBuffer>;
  private readonly lookup: KnownLookup;
  private readonly journal: Journal;
  private readonly confirmed: ConfirmedFiles;
  private readonly pool: ContentPool;
  private readonly lastStored: Promise<void>[] = [];
  private addedBytes = 0;
  private parts: readonly ManifestPart[] = [];
  private wrapped: Promise<WrappedKey[]> = Promise.resolve([]);
  private flow: EntryFlow | undefined;
  private cache: ManifestCacheWriter | undefined;

  constructor(options: BackupOptions, state: BackupState) {
    this.options = options;
    this.state = state;
    this.limits = { ...defaults, ...options.limits };
    this.subkeys = deriveSubkeys(options.repository.identity.idKey.bytes);
    this.putter = new ObjectPutter(options.writer, options.signal);
    this.phases = new Phases(options.clock ?? systemClock);
    this.closedPacks = new SharedArrayBuffer(this.limits.workers * 4);
    this.readBytes = new BigInt64Array(new SharedArrayBuffer(this.limits.workers * 8));
    this.lookup = new KnownLookup(state.known.table);
    this.journal = new Journal(state.directory, options.repository.generation);
    this.confirmed = new ConfirmedFiles(this.journal, this.closedPacks, this.limits.workers);
    this.pool = this.createPool();
  }

  private createPool(): ContentPool {
    const claims = createClaimsMemory();
    const makeData = (index: number): Omit<ContentWorkerData, 'nextFiles'> => ({
      index, repositoryId: this.options.repository.identity.repositoryId, dataKey: this.keys.data.bytes, catalogKey: this.keys.catalog.bytes,
      chunkIdKey: this.subkeys.chunkId, gear: this.subkeys.gear, chunker: defaultChunker, packBytes: this.limits.packBytes,
      known: this.state.known.table, claims, closedPacks: this.closedPacks, readBytes: this.readBytes.buffer,
    });
    return new ContentPool(this.limits, makeData, {
      onFiles: (outcomes) => this.flow?.filesRead(outcomes),
      onPack: (worker, pack) => this.storePack(worker, pack),
    });
  }

  /** Keys first: nothing sealed with them is stored before they are. */
  private async writeKeys(): Promise<WrappedKey[]> {
    const { repository } = this.options;
    const created = repository.create ? [await createRepository(this.putter, repository.identity, repository, defaultChunker)] : [];
    return [...await writeAttemptKeys(this.putter, this.keys, repository), ...created];
  }

  private async storePack(worker: number, pack: PackMessage): Promise<void> {
    const before = this.lastStored[worker] ?? Promise.resolve();
    const stored = this.putPack(pack).then(async (done) => {
      await before;
      this.confirm(worker, done, pack.plainBytes);
    });
    this.lastStored[worker] = stored;
    await stored;
  }

  private async putPack(pack: PackMessage): Promise<StoredPack> {
    await this.wrapped;
    const name = await this.putter.put(objectNames.pack, new Uint8Array(pack.buffer, 0, pack.length), Buffer.from(pack.sha256));
    return { name, size: pack.length, ids: pack.ids };
  }

  private confirm(worker: number, pack: StoredPack, plainBytes: number): void {
    this.packs.push(pack);
    this.addedBytes += plainBytes;
    this.journal.pack(pack);
    this.confirmed.packStored(worker);
    this.progress('content');
  }

  private progress(phase: BackupProgress['phase']): void {
    const { onProgress } = this.options;
    if (!onProgress) return;
    const read = this.readBytes.reduce((sum, _, worker) => sum + Number(Atomics.load(this.readBytes, worker)), 0);
    const [files, bytes] = [this.flow?.counts.files ?? 0, this.flow?.bytesDone(read) ?? 0];
    onProgress({ phase, files, bytes, ...this.expectation(files, bytes), storedBytes: this.putter.storedBytes, faults: this.faults.count });
  }

  private expectation(files: number, bytes: number): Pick<BackupProgress, 'totalFiles' | 'totalBytes' | 'estimated'> {
    const { expected } = this.state;
    if (!expected || files > expected.files || bytes > expected.bytes) return {};
    return { totalFiles: expected.files, totalBytes: expected.bytes, estimated: true };
  }

  /** Walks, reads and packs. Resolves with the finished cache of the next attempt. */
  private async readContent(): Promise<{ flow: EntryFlow; manifest: ManifestMaker; cache: ManifestCacheWriter }> {
    const { options, pool, faults, confirmed, state } = this;
    const stamp = { snapshot: options.subject.snapshotId, epoch: state.known.epoch };
    const cache = await ManifestCacheWriter.create(state.directory, stamp, state.cache);
    this.cache = cache;
    const earlier = { parts: state.cache?.parts ?? new Map<number, ManifestPart>(), stored: (id: Buffer) => this.lookup.has(id) };
    const manifest = new ManifestMaker(pool, this.subkeys.manifestCut, earlier);
    const facts = options.changeDetection ?? ['mtime', 'ctime', 'inode'];
    const changes = new ChangeDetector({ cache: state.cache, leftovers: state.leftovers, known: this.lookup, trusted: state.trusted, facts });
    const flow = new EntryFlow({ pool, changes, manifest, cache, confirmed, faults, windowBytes: this.limits.windowBytes });
    this.flow = flow;
    const walk = options.source.entries({
      onFault: (found) => faults.add(found.path, found.code, found.detail), needsXattrs: (entry) => flow.needsXattrs(entry),
      ...(changes.recalls ? { recall: (path, known, owner) => changes.recall(path, known, owner) } : {}),
      ...(options.onNote ? { onNote: options.onNote } : {}), ...(options.signal ? { signal: options.signal } : {}),
    });
    for await (const entries of walk) {
      options.signal?.throwIfAborted();
      await flow.take(entries);
      this.progress('content');
    }
    await flow.finish();
    return { flow, manifest, cache };
  }

  private statistics(flow: EntryFlow): BackupResult['statistics'] {
    return { ...flow.counts, addedBytes: this.addedBytes, storedBytes: this.putter.storedBytes };
  }

  private async writeSnapshot(flow: EntryFlow, manifest: ManifestMaker): Promise<BackupResult['snapshot']> {
    const { options } = this;
    const made = await manifest.finish();
    this.parts = made.parts;
    const sections = await makeSections(this.pool, options, made, { ...flow.counts });
    await this.pool.finish();
    this.phases.end('content');
    const object = sealSnapshot(options, sections, this.keys, this.subkeys);
    await this.wrapped;
    await options.beforeSnapshot?.([...packsOf(this.state.known).map((sha) => objectNames.pack(Buffer.from(sha, 'hex'))), ...this.packs.map((pack) => pack.name)]);
    options.signal?.throwIfAborted();
    const sha256 = createHash('sha256').update(object).digest();
    const id = options.subject.snapshotId;
    const name = await this.putter.put((hash) => objectNames.snapshot(id, hash), object, sha256);
    this.phases.end('snapshot');
    return { id, name, size: object.length, sha256: sha256.toString('hex') };
  }

  /** The snapshot is stored: what was learnt becomes the state of the next attempt. */
  private async keepState(cache: ManifestCacheWriter, counts: Totals): Promise<void> {
    const { state, options, packs } = this;
    this.journal.close();
    if (packs.length > 0 || !state.known.table.path) {
      await writeKnownChunks(options.stateDir, state.known, { packNames: packs.map((pack) => pack.name), added: packedIds(packs) });
    }
    cache.commit(this.parts);
    writeTotals(state.directory, counts);
    state.leftovers.remove();
    this.journal.remove();
    this.phases.end('state');
  }

  async run(): Promise<BackupResult> {
    const { options, state, faults } = this;
    const abort = (): void => this.pool.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', abort, { once: true });
    try {
      this.wrapped = this.pool.guard(this.writeKeys());
      this.wrapped.catch((error: unknown) => this.pool.abort(error));
      this.progress('keys');
      const { flow, manifest, cache } = await this.pool.guard(this.readContent()).finally(startTicker(options.clock ?? systemClock, () => this.progress('content')));
      const snapshot = await this.pool.guard(this.writeSnapshot(flow, manifest));
      await this.keepState(cache, flow.counts);
      const object = ({ name, size }: StoredPack): { name: string; size: number } => ({ name, size });
      return {
        outcome: faults.count > 0 ? 'partial' : 'succeeded', snapshot,
        repositoryId: options.repository.identity.repositoryId, idKeyId: options.repository.identity.idKey.id,
        keys: await this.wrapped, packs: this.packs.map(object), adoptedPacks: state.leftovers.packs.map(({ name, size }) => ({ name, size })),
        statistics: this.statistics(flow), faults: faults.list, faultCount: faults.count, phases: this.phases.spent,
      };
    } finally {
      options.signal?.removeEventListener('abort', abort);
      this.journal.close();
      this.cache?.discard();
      state.cache?.close();
      this.lookup.close();
      await this.pool.close();
    }
  }
}

/**
 * Makes one snapshot: keys, then packs, then the snapshot object, each durable before the next. Errors of the target and of the
 * state directory end the attempt; what is stored by then stays, and the next attempt of the task goes on from its journal, under
 * new keys. Entries that cannot be read are faults and make the outcome `partial`.
 */
export const runBackup = async (options: BackupOptions): Promise<BackupResult> => {
  options.signal?.throwIfAborted();
  return new BackupAttempt(options, await openBackupState(options)).run();
};
