import { existsSync, renameSync, unlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareManifestPaths, type SourceEntry } from '#sources';
import type { ManifestPart } from '../format/sections.ts';
import { CacheRecord, cacheRecordHeader } from './cache-record.ts';
import { readManifestParts, replaceManifestParts } from './manifest-parts.ts';
import { readBlocks, RecordWriter } from './record-file.ts';
import { temporaryPath } from './temporary-file.ts';

/** Where the caches of one task lie: a name that is safe as a folder. */
export const taskDirectory = (stateDir: string, taskId: string): string =>
  join(stateDir, 'tasks', /^[A-Za-z0-9_-]{1,64}$/.test(taskId) ? taskId : `x-${Buffer.from(taskId).toString('hex').slice(0, 120)}`);

const fileOf = (directory: string): string => join(directory, 'manifest');

const version = 2;

/** What the cache belongs to. */
export interface CacheStamp {
  /** The snapshot it was made with. */
  readonly snapshot: string;
  /** Epoch of the known chunks then: while it is the same, every reference of the cache is stored. */
  readonly epoch: string;
}

const decodeStamp = (bytes: Buffer): CacheStamp | undefined => {
  try {
    const { snapshot, epoch, version: written } = JSON.parse(bytes.toString('utf8')) as Partial<CacheStamp & { version: number }>;
    return written === version && typeof snapshot === 'string' && typeof epoch === 'string' ? { snapshot, epoch } : undefined;
  } catch {
    return undefined;
  }
};

/** The records of a file one after the other; the first is the stamp. */
class RecordCursor {
  private readonly blocks: Generator<Buffer>;
  private block: Buffer = Buffer.alloc(0);
  private at = 0;
  private count = -1;

  constructor(path: string) {
    this.blocks = readBlocks(path);
  }

  /** The stamp, to be asked for once and first. */
  stamp(): CacheStamp | undefined {
    const record = this.range();
    return record && decodeStamp(this.block.subarray(...record));
  }

  next(): CacheRecord | undefined {
    const range = this.range();
    if (!range) return undefined;
    const record = new CacheRecord(this.block, ...range, this.count);
    return record.whole ? record : undefined;
  }

  private range(): [number, number] | undefined {
    if (this.at + 4 > this.block.length) {
      const next = this.blocks.next();
      if (next.done) return undefined;
      this.block = next.value;
      this.at = 0;
    }
    const start = this.at + 4;
    this.at = start + this.block.readUInt32LE(this.at);
    if (this.at > this.block.length) return undefined;
    this.count = this.count + (this.begun ? 1 : 0);
    this.begun = true;
    return [start, this.at];
  }

  private begun = false;

  close(): void {
    this.blocks.return(undefined);
  }
}

/** The last manifest of a task in its order, read along with the walk. */
export class ManifestCache {
  readonly stamp: CacheStamp;
  readonly directory: string;
  /** See `readManifestParts`. */
  readonly parts: ReadonlyMap<number, ManifestPart>;
  private readonly records: RecordCursor;
  private current: CacheRecord | undefined;

  private constructor(directory: string, stamp: CacheStamp, records: RecordCursor) {
    this.directory = directory;
    this.stamp = stamp;
    this.parts = readManifestParts(directory, stamp.snapshot);
    this.records = records;
    this.current = records.next();
  }

  /** Undefined when there is none. */
  static open(directory: string): ManifestCache | undefined {
    if (!existsSync(fileOf(directory))) return undefined;
    const records = new RecordCursor(fileOf(directory));
    const stamp = records.stamp();
    if (stamp) return new ManifestCache(directory, stamp, records);
    records.close();
    return undefined;
  }

  /** The record of this path. Paths must be asked for in the manifest's order. */
  find(path: Buffer): CacheRecord | undefined {
    while (this.current) {
      const { current } = this;
      if (current.isOf(path)) {
        this.current = this.records.next();
        return current;
      }
      if (compareManifestPaths(current.path, path) > 0) return undefined;
      this.current = this.records.next();
    }
    return undefined;
  }

  /** Whether every record has come by. */
  get atEnd(): boolean {
    return this.current === undefined;
  }

  /** The first records once more, from the file. */
  *first(count: number): Generator<CacheRecord> {
    const again = new RecordCursor(fileOf(this.directory));
    try {
      again.stamp();
      for (let record = count > 0 ? again.next() : undefined; record; record = record.ordinal + 1 < count ? again.next() : undefined) yield record;
    } finally {
      again.close();
    }
  }

  close(): void {
    this.records.close();
  }
}

/**
 * Writes the next cache beside the last one, which it replaces only at the end. As long as each record is the last cache's own, nothing is
 * written; when it stays so to the end, the last one stays.
 */
export class ManifestCacheWriter {
  private readonly directory: string;
  private readonly body: string;
  private readonly stamp: CacheStamp;
  private readonly last: ManifestCache | undefined;
  private kept = 0;
  private writer: RecordWriter | undefined;

  private constructor(directory: string, stamp: CacheStamp, last: ManifestCache | undefined) {
    this.directory = directory;
    this.stamp = stamp;
    this.last = last?.stamp.epoch === stamp.epoch ? last : undefined;
    this.body = temporaryPath(directory, 'manifest');
  }

  /** The stamp is fixed at the beginning: a cache names the attempt whose snapshot it belongs to. */
  static async create(directory: string, stamp: CacheStamp, last?: ManifestCache): Promise<ManifestCacheWriter> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new ManifestCacheWriter(directory, stamp, last);
  }

  private begun(): RecordWriter {
    if (this.writer) return this.writer;
    const writer = new RecordWriter(this.body);
    this.writer = writer;
    writer.append(Buffer.from(JSON.stringify({ ...this.stamp, version })));
    for (const record of this.last?.first(this.kept) ?? []) writer.append(record.bytes);
    return writer;
  }

  add(entry: SourceEntry, head: Buffer, references: Uint8Array): void {
    this.begun().append(cacheRecordHeader(entry, head), entry.path, head, references);
  }

  /** An entry whose record of the last cache still holds. */
  keep(record: CacheRecord): void {
    if (!this.writer && this.last && record.ordinal === this.kept) this.kept++;
    else this.begun().append(record.bytes);
  }

  /** Puts it in the place of the last one. */
  commit(parts: readonly ManifestPart[]): void {
    if (!this.writer && this.last?.atEnd) return;
    this.begun().close();
    const putParts = replaceManifestParts(this.directory, this.stamp.snapshot, parts);
    renameSync(this.body, fileOf(this.directory));
    this.writer = undefined;
    putParts();
  }

  /** Leaves nothing behind; after `commit` there is nothing to leave. */
  discard(): void {
    if (!this.writer) return;
    this.writer.abandon();
    this.writer = undefined;
    unlinkSync(this.body);
  }
}
