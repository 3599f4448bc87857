import { manifestLineHead } from '../format/manifest-line.ts';
import type { ManifestCacheWriter } from '../state/manifest-cache.ts';
import type { SourceEntry } from '#sources';
import type { ChangeDetector } from './changes.ts';
import type { ConfirmedFiles } from './confirmed-files.ts';
import type { FileOutcome } from './file-outcomes.ts';
import type { ContentPool } from './content-pool.ts';
import { EntryWindow, type WindowSlot } from './entry-window.ts';
import type { FaultList } from './fault-list.ts';
import { FilesBatch } from './files-batch.ts';
import type { ManifestMaker } from './manifest-maker.ts';
import { RecalledEntry } from './recalled-entry.ts';

/** What the flow of entries passes through. */
export interface FlowParts {
  readonly pool: ContentPool;
  readonly changes: ChangeDetector;
  readonly manifest: ManifestMaker;
  readonly cache: ManifestCacheWriter;
  readonly confirmed: ConfirmedFiles;
  readonly faults: FaultList;
  readonly windowBytes: number;
}

/** Counted on the way; as in the run's statistics. */
export interface EntryCounts {
  files: number;
  directories: number;
  others: number;
  bytes: number;
  filesRead: number;
  bytesRead: number;
}

const nothing = new Uint8Array(0);

const headOf = (entry: SourceEntry): Buffer => Buffer.from(manifestLineHead(
  entry.links > 1 && entry.type === 'file' ? { ...entry, hardlink: `${entry.device}:${entry.inode}` } : entry,
));

/** Takes entries in walk order, has changed content read, and lets them into the manifest in the same order. */
export class EntryFlow {
  readonly counts: EntryCounts = { files: 0, directories: 0, others: 0, bytes: 0, filesRead: 0, bytesRead: 0 };
  private readonly parts: FlowParts;
  private readonly window = new EntryWindow();
  private readonly batch = new FilesBatch();
  private readonly hardlinks = new Map<string, WindowSlot>();
  private readonly heads = new WeakMap<SourceEntry, Buffer>();
  private countedOfRead = 0;

  constructor(parts: FlowParts) {
    this.parts = parts;
  }

  /** For the walk, about each entry in order: whether its extended attributes have to be read. */
  needsXattrs(entry: SourceEntry): boolean {
    if (entry instanceof RecalledEntry) return false;
    const head = headOf(entry);
    this.heads.set(entry, head);
    return this.parts.changes.needsXattrs(entry, head);
  }

  /** Takes a batch; waits while too much is on its way. */
  async take(entries: readonly SourceEntry[]): Promise<void> {
    for (const entry of entries) {
      const cut = entry instanceof RecalledEntry ? this.addRecalled(entry) : this.takeNew(entry);
      if (cut) await cut;
    }
    await this.emit();
    if (this.window.bytes > this.parts.windowBytes) await this.dispatch();
    while (this.window.bytes > this.parts.windowBytes) {
      await this.parts.pool.until(() => this.window.ready);
      await this.emit();
    }
  }

  /** Wait for the result, where there is one. */
  private takeNew(entry: SourceEntry): Promise<void> | undefined {
    if (entry.type === 'stream') return this.addStream(entry);
    this.add(entry);
    return this.batch.full ? this.dispatch() : undefined;
  }

  /** Wait for the result, where there is one. */
  private addRecalled(entry: RecalledEntry): Promise<void> | undefined {
    const { record } = entry;
    if (this.window.empty) return this.emitRecalled(entry);
    this.window.add({ entry, head: record.head, references: record.references });
    return undefined;
  }

  /** Its record is its line: nearly all entries of most backups go this way. */
  private emitRecalled(entry: RecalledEntry): Promise<void> | undefined {
    const cut = this.parts.manifest.add(entry.record);
    this.parts.cache.keep(entry.record);
    this.count(entry);
    return cut;
  }

  private add(entry: SourceEntry): void {
    const head = (entry.xattrs ? undefined : this.heads.get(entry)) ?? headOf(entry);
    if (entry.type !== 'file' || entry.size === 0) {
      this.window.add({ entry, head, references: nothing });
      return;
    }
    const group = entry.links > 1 ? `${entry.device}:${entry.inode}` : undefined;
    const sameAs = group === undefined ? undefined : this.hardlinks.get(group);
    if (sameAs) {
      this.window.add({ entry, head, sameAs });
      return;
    }
    const references = this.parts.changes.unchanged(entry, head);
    const slot = this.window.add(references ? { entry, head, references: Buffer.from(references) } : { entry, head });
    if (group !== undefined) this.hardlinks.set(group, slot);
    if (!references) this.batch.add(slot.id, entry, entry.contentPath ?? Buffer.concat([Buffer.from('/'), entry.path]));
  }

  private async addStream(entry: SourceEntry): Promise<void> {
    await this.dispatch();
    const slot = this.window.add({ entry, head: headOf(entry) });
    const size = entry.open ? await this.parts.pool.stream(slot.id, entry.open()) : 0;
    slot.head = headOf({ ...entry, size });
    this.counts.bytes += size;
    this.counts.bytesRead += size;
  }

  /** Bytes done by now, given how many the workers have read: entries that left, and what was read of those that wait for their turn. */
  bytesDone(readByWorkers: number): number {
    return this.counts.bytes + readByWorkers - this.countedOfRead;
  }

  private async dispatch(): Promise<void> {
    const job = this.batch.take();
    if (job) await this.parts.pool.readFiles(job);
  }

  /** For the pool: content that was read. */
  filesRead(outcomes: Iterable<FileOutcome>): void {
    for (const outcome of outcomes) {
      const slot = this.window.take(outcome.slot);
      if (slot) this.settle(slot, outcome);
    }
  }

  private settle(slot: WindowSlot, outcome: FileOutcome): void {
    const { faults, confirmed, pool } = this.parts;
    if (outcome.fault) faults.add(slot.entry.path, outcome.fault.code, outcome.fault.detail);
    if (!outcome.references) {
      slot.dropped = true;
      return;
    }
    if (outcome.facts) {
      const [size, mtimeNs, ctimeNs, inode, device] = outcome.facts as unknown as [bigint, bigint, bigint, bigint, bigint];
      slot.entry = { ...slot.entry, size: Number(size), mtimeNs, ctimeNs, inode, device };
      slot.head = headOf(slot.entry);
    }
    slot.references = outcome.references;
    slot.read = outcome.size;
    this.counts.filesRead++;
    this.counts.bytesRead += outcome.size;
    if (!outcome.fault && slot.entry.type === 'file') confirmed.fileDone(slot.entry.path, slot.head, outcome.references, pool.started);
  }

  private async emit(): Promise<void> {
    for (let slot = this.window.shift(); slot; slot = this.window.shift()) {
      const from = slot.sameAs ?? slot;
      if (from.dropped) {
        if (slot.sameAs) slot.dropped = true;
        continue;
      }
      const references = from.references ?? nothing;
      if (slot.sameAs) this.takeFacts(slot, slot.sameAs.entry);
      const { entry, head } = slot;
      if (entry instanceof RecalledEntry) {
        await this.emitRecalled(entry);
        continue;
      }
      const cut = this.parts.manifest.add({
        path: entry.path, head, headLength: head.length, references, referencesLength: references.length, ordinal: undefined,
      });
      if (cut) await cut;
      this.parts.cache.add(entry, head, references);
      this.count(entry);
      this.countedOfRead += slot.read ?? 0;
    }
  }

  /** What is one file has one size and one time, also when it was not as walked when its first name was read. */
  private takeFacts(slot: WindowSlot, { size, mtimeNs, ctimeNs }: SourceEntry): void {
    const { entry } = slot;
    if (entry.size === size && entry.mtimeNs === mtimeNs && entry.ctimeNs === ctimeNs) return;
    slot.entry = { ...entry, size, mtimeNs, ctimeNs };
    slot.head = headOf(slot.entry);
  }

  private count(entry: SourceEntry): void {
    if (entry.type === 'file' || entry.type === 'stream') this.counts.files++;
    else if (entry.type === 'directory') this.counts.directories++;
    else this.counts.others++;
    this.counts.bytes += entry.size;
  }

  /** Waits for all content and lets everything into the manifest. */
  async finish(): Promise<void> {
    await this.dispatch();
    while (!this.window.empty) {
      await this.parts.pool.until(() => this.window.ready);
      await this.emit();
    }
  }
}
