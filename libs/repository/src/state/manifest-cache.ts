import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, unlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareManifestPaths } from '#sources';
import { decodeFileRecord, type FileRecord, fileRecordHeader } from './file-record.ts';
import { readRecords, RecordWriter } from './record-file.ts';

/** Where the caches of one task lie: a name that is safe as a folder. */
export const taskDirectory = (stateDir: string, taskId: string): string =>
  join(stateDir, 'tasks', /^[A-Za-z0-9_-]{1,64}$/.test(taskId) ? taskId : `x-${Buffer.from(taskId).toString('hex').slice(0, 120)}`);

const fileOf = (directory: string): string => join(directory, 'manifest');

/** What the cache belongs to. */
export interface CacheStamp {
  /** SHA-256 of the snapshot object it was made with. */
  readonly snapshot: string;
  /** Epoch of the known chunks then: while it is the same, every reference of the cache is stored. */
  readonly epoch: string;
}

/** The last manifest of a task in its order, read along with the walk. */
export class ManifestCache {
  readonly stamp: CacheStamp;
  private readonly records: Generator<Buffer>;
  private current: FileRecord | undefined;

  private constructor(stamp: CacheStamp, records: Generator<Buffer>) {
    this.stamp = stamp;
    this.records = records;
    this.advance();
  }

  /** Undefined when there is none. */
  static open(directory: string): ManifestCache | undefined {
    if (!existsSync(fileOf(directory))) return undefined;
    const records = readRecords(fileOf(directory));
    const first = records.next();
    if (first.done) return undefined;
    try {
      const { snapshot, epoch } = JSON.parse(first.value.toString('utf8')) as Partial<CacheStamp>;
      return typeof snapshot === 'string' && typeof epoch === 'string' ? new ManifestCache({ snapshot, epoch }, records) : undefined;
    } catch {
      return undefined;
    }
  }

  private advance(): void {
    const next = this.records.next();
    this.current = next.done ? undefined : decodeFileRecord(next.value);
  }

  /** The record of this path. Paths must be asked for in the manifest's order. */
  find(path: Buffer): FileRecord | undefined {
    while (this.current) {
      if (this.current.path.equals(path)) {
        const found = this.current;
        this.advance();
        return found;
      }
      if (compareManifestPaths(this.current.path, path) > 0) return undefined;
      this.advance();
    }
    return undefined;
  }

  close(): void {
    this.records.return(undefined);
  }
}

/** Writes the next cache beside the last one, which it replaces only at the end. */
export class ManifestCacheWriter {
  private readonly directory: string;
  private readonly body: string;
  private readonly writer: RecordWriter;

  private constructor(directory: string) {
    this.directory = directory;
    this.body = join(directory, `.manifest.${randomBytes(6).toString('hex')}`);
    this.writer = new RecordWriter(this.body);
  }

  /** The stamp is fixed at the beginning: a cache names the attempt whose snapshot it belongs to. */
  static async create(directory: string, stamp: CacheStamp): Promise<ManifestCacheWriter> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const cache = new ManifestCacheWriter(directory);
    cache.writer.append(Buffer.from(JSON.stringify(stamp)));
    return cache;
  }

  add(path: Buffer, head: Buffer, references: Uint8Array): void {
    this.writer.append(fileRecordHeader(path, head), path, head, references);
  }

  /** Puts it in the place of the last one. */
  commit(): void {
    this.writer.close();
    renameSync(this.body, fileOf(this.directory));
  }

  discard(): void {
    this.writer.close();
    unlinkSync(this.body);
  }
}
