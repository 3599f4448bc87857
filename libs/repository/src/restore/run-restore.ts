import { type AppError, type Clock, fault, isAppError, messageOf, systemClock } from '#kernel';
import { deletePermission, restoreWriter, type RestoreWriter } from '#sources';
import { FaultList } from '../backup/fault-list.ts';
import { isDamage } from '../format/damage.ts';
import { checkPath, type ManifestEntry } from '../format/manifest-entry.ts';
import type { DataSection, ManifestPart } from '../format/sections.ts';
import { startTicker } from '../ticker.ts';
import { ChunkReader } from './chunk-reader.ts';
import { ContentRestorer } from './content-restorer.ts';
import { loadLocations } from './load-locations.ts';
import { type EntryWithReferences, isInside, partsOf, readPart } from './manifest-reader.ts';
import { PartialReason } from './partial-reason.ts';
import { type OpenedSnapshot, readSections, readSnapshot } from './open-snapshot.ts';
import { RestoreTotals } from './restore-totals.ts';
import type { RestoreLimits, RestoreOptions, RestoreProgress, RestoreResult } from './restore-options.ts';
import { RestorePool } from './restore-pool.ts';

const defaults: RestoreLimits = { workers: 3, fetchBytes: 12 * 1024 * 1024 };

/** A snapshot with everything that is needed to read its entries. */
interface ReadableSnapshot {
  readonly snapshot: OpenedSnapshot;
  readonly chunks: ChunkReader;
  readonly parts: readonly ManifestPart[];
  readonly data: DataSection;
}

const pathNotFound = (): Error => fault('not-found', 'path-not-found', 'The snapshot holds no such path; list what it holds with browse, or with repo ls where there is no master');

/** One restore into one destination. */
class Restore {
  private readonly options: RestoreOptions;
  private readonly limits: RestoreLimits;
  private readonly faults = new FaultList();
  private readonly reason = new PartialReason();
  private readonly counts = { files: 0, bytes: 0, fetchedBytes: 0 };
  private readonly totals = new RestoreTotals();
  private readonly phases: Record<string, number> = {};
  private readonly clock: Clock;
  private since: number;
  private phase: RestoreProgress['phase'] = 'index';

  constructor(options: RestoreOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.since = this.clock.monotonic();
    this.limits = { ...defaults, ...options.limits };
    if (options.path) checkPath(Buffer.from(options.path));
  }

  private endPhase(next: RestoreProgress['phase']): void {
    const now = this.clock.monotonic();
    this.phases[this.phase] = Math.round(now - this.since);
    this.since = now;
    this.phase = next;
  }

  private progress(): void {
    const { files, bytes } = this.counts;
    this.options.onProgress?.({ phase: this.phase, files, bytes, ...this.totals.known, faults: this.faults.count });
  }

  private async open(): Promise<ReadableSnapshot & { readonly locations: Awaited<ReturnType<typeof loadLocations>> }> {
    const { reader, keys, snapshotObject, signal } = this.options;
    const snapshot = await readSnapshot(reader, keys, snapshotObject, signal);
    const repositoryId = snapshot.header.repository;
    // What only it holds becomes a fault where it is missed; the rest of the repository is not this restore's business.
    const onDamagedPack = (name: string, error: unknown): void => this.options.onNote?.('pack-unreadable', `${name} cannot be read (${messageOf(error)}); verify the repository`);
    const locations = await loadLocations({ reader, keys, repositoryId, packs: this.options.packs, onDamagedPack, ...(signal ? { signal } : {}) });
    const chunks = new ChunkReader({
      reader, keys, repositoryId, locations, chunkIdKey: snapshot.subkeys.chunkId, ...(signal ? { signal } : {}),
      onFetched: (bytes) => (this.counts.fetchedBytes += bytes),
    });
    return { snapshot, chunks, locations, ...await readSections(snapshot, chunks) };
  }

  /** Entries part by part, only those that are wanted. A damaged part is reported, as a fault or to `onDamaged`, and passed over. */
  private async *entries(from: ReadableSnapshot, onDamaged?: (error: AppError) => void): AsyncGenerator<EntryWithReferences[]> {
    const path = this.options.path && Buffer.from(this.options.path);
    let last: Buffer | undefined;
    for (const number of partsOf(from.data.index, path)) {
      this.options.signal?.throwIfAborted();
      try {
        const entries = await readPart(from.parts[number] as ManifestPart, from.chunks, last);
        last = entries[entries.length - 1]?.entry.path;
        yield path ? entries.filter(({ entry }) => isInside(path, entry.path)) : entries;
      } catch (error) {
        if (!isAppError(error) || !isDamage(error)) throw error;
        if (onDamaged) onDamaged(error);
        else this.faults.add(from.data.index[number] ?? Buffer.alloc(0), error.code, `Entries from here on are lost: ${messageOf(error)}`);
      }
    }
  }

  /** What becomes the destination: the chosen directory, or the directory of the chosen file. */
  private async base(from: ReadableSnapshot): Promise<Buffer | undefined> {
    if (!this.options.path) return undefined;
    const path = Buffer.from(this.options.path);
    let damage: Error | undefined;
    for await (const entries of this.entries(from, (error) => (damage ??= error))) {
      const found = entries.find(({ entry }) => entry.path.equals(path));
      if (found?.entry.type === 'directory') return path;
      if (found) return path.includes(0x2f) ? path.subarray(0, path.lastIndexOf(0x2f)) : undefined;
    }
    throw damage ?? pathNotFound();
  }

  private writer(base: Buffer | undefined, data: DataSection): RestoreWriter {
    const { destination, mode, dryRun, path, onNote } = this.options;
    const deleteExtraneous = this.options.deleteExtraneous ? deletePermission(data.source, path === undefined ? undefined : Buffer.from(path)) : undefined;
    return restoreWriter({
      destination, mode, dryRun: dryRun ?? false, ...(base ? { base } : {}), ...(deleteExtraneous ? { deleteExtraneous } : {}),
      ...(onNote ? { onNote } : {}),
      onFault: (found) => {
        this.reason.note(found);
        this.faults.add(found.path, found.code, found.detail);
      },
    });
  }

  private async placeAll(from: ReadableSnapshot, writer: RestoreWriter, restorer: ContentRestorer | undefined): Promise<void> {
    for await (const entries of this.entries(from)) {
      const placements = await writer.place(entries.map(({ entry }): ManifestEntry => entry));
      for (const [index, placement] of placements.entries()) {
        const { entry, references } = entries[index] as EntryWithReferences;
        this.totals.placed(entry, placement.action === 'write');
        if (placement.action === 'write' && restorer) await restorer.add(placement.ticket, references);
      }
      this.progress();
    }
    this.totals.complete();
    await restorer?.finish();
  }

  private restorer(from: ReadableSnapshot & { locations: Awaited<ReturnType<typeof loadLocations>> }, writer: RestoreWriter, pool: RestorePool): ContentRestorer {
    const { reader, keys, signal } = this.options;
    return new ContentRestorer({
      reader, keys, pool, places: writer.places, locations: from.locations, chunks: from.chunks, fetchBytes: this.limits.fetchBytes, ...(signal ? { signal } : {}),
      onFile: (ticket, error) => {
        this.counts.files++;
        writer.settle(ticket, error);
      },
      onFetched: (bytes) => (this.counts.fetchedBytes += bytes),
      onWritten: (bytes) => (this.counts.bytes += bytes),
    });
  }

  private async write(from: Awaited<ReturnType<Restore['open']>>, writer: RestoreWriter): Promise<void> {
    if (this.options.dryRun) return this.placeAll(from, writer, undefined);
    const { subkeys, header } = from.snapshot;
    const pool = new RestorePool(this.limits.workers, { repositoryId: header.repository, chunkIdKey: subkeys.chunkId, rootFd: writer.rootFd });
    const abort = (): void => pool.abort(this.options.signal?.reason);
    this.options.signal?.addEventListener('abort', abort, { once: true });
    try {
      await pool.guard(this.placeAll(from, writer, this.restorer(from, writer, pool)));
      await pool.close();
    } finally {
      this.options.signal?.removeEventListener('abort', abort);
      await pool.terminate();
    }
  }

  async run(): Promise<RestoreResult> {
    const from = await this.open();
    const writer = this.writer(await this.base(from), from.data);
    if (!this.options.path) this.totals.expect(from.data.statistics);
    this.endPhase('content');
    try {
      await this.write(from, writer).finally(startTicker(this.clock, () => this.progress()));
    } catch (error) {
      writer.abandon();
      throw error;
    }
    this.endPhase('metadata');
    const summary = await writer.finish(this.faults.count === 0);
    this.endPhase('metadata');
    const { file = 0, directory = 0, stream = 0, ...rest } = summary.created;
    const others = Object.values(rest).reduce((sum, count) => sum + count, 0);
    if (file + directory + stream + others + summary.hardLinks + summary.skipped - summary.adopted === 0) this.reason.throwIfDestination();
    return {
      ...(this.faults.count > 0 ? { outcome: 'partial', reason: this.reason.of(this.faults.count) } : { outcome: 'succeeded' }),
      statistics: {
        files: file + stream + summary.hardLinks, directories: directory, others, bytes: summary.bytes, skipped: summary.skipped,
        deleted: summary.deleted, fetchedBytes: this.counts.fetchedBytes,
      },
      faults: this.faults.list, faultCount: this.faults.count, phases: this.phases,
    };
  }
}

/**
 * Restores a snapshot or a part of it. Entries that cannot be restored are faults and make the outcome `partial`; a snapshot that
 * cannot be opened, and a target that does not answer, end it. Throws `path-not-found`, `key-not-available`, `snapshot-damaged`, and
 * `restore-destination-full`, `-read-only` or `-denied` when nothing at all could be written.
 */
export const runRestore = (options: RestoreOptions): Promise<RestoreResult> => {
  options.signal?.throwIfAborted();
  return new Restore(options).run();
};
