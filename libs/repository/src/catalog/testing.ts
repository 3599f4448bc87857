import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { filesSource, type Source } from '#sources';
import { type MemoryStore, memoryStore, type ObjectStore } from '#storage';
import { tempDir } from '#testing';
import type { BackupOptions, BackupResult } from '../backup/backup-options.ts';
import { runBackup } from '../backup/run-backup.ts';
import { generateIdentity } from '../format/wrapping.ts';
import { isInside } from '../restore/manifest-reader.ts';
import { ensureWriterIdentity, type WriterIdentity } from '../state/identity.ts';

/** A real repository in memory, made by the real writer. */
export interface SampleRepository {
  readonly store: MemoryStore;
  readonly identity: WriterIdentity;
  /** An age identity of a data recipient, and one of a catalog recipient. */
  readonly dataIdentity: string;
  readonly catalogIdentity: string;
  readonly source: string;
  /** Writes a file of random bytes below the source. */
  write(path: string, bytes: number | Buffer): Promise<Buffer>;
  /** Makes a snapshot; ids count up: `snap_1`, `snap_2`. */
  backup(change?: Partial<BackupOptions> & { readonly generation?: number; readonly condemned?: Uint8Array; readonly task?: string; readonly importedKnown?: AsyncIterable<Uint8Array> }): Promise<BackupResult>;
}

/** Without the directories above it: other tests write beside it meanwhile, and two manifests are to be equal where nothing below changed. */
const sourceOf = (path: string): Source => {
  const source = filesSource({ paths: [path], xattrs: null });
  const root = Buffer.from(path.slice(1));
  return {
    ...source,
    entries: async function* (options) {
      for await (const entries of source.entries(options)) yield entries.filter((entry) => isInside(root, entry.path));
    },
  };
};

/** An empty source and an empty target. */
export const sampleRepository = async (target?: ObjectStore): Promise<SampleRepository> => {
  const [source, stateDir] = [await tempDir('source'), await tempDir('state')];
  const [data, catalog] = [await generateIdentity(), await generateIdentity()];
  const store = memoryStore();
  const identity = await ensureWriterIdentity(stateDir);
  let count = 0;
  let previous: string | undefined;
  return {
    store, identity, source, dataIdentity: data.identity, catalogIdentity: catalog.identity,
    write: async (path, content) => {
      const bytes = typeof content === 'number' ? randomBytes(content) : content;
      await mkdir(dirname(join(source, path)), { recursive: true });
      await writeFile(join(source, path), bytes);
      return bytes;
    },
    backup: async ({ generation = 0, condemned, importedKnown, task = 'task_1', ...change } = {}) => {
      count++;
      const result = await runBackup({
        writer: target ?? store, source: sourceOf(source), stateDir,
        repository: {
          identity, dataRecipients: [data.recipient], catalogRecipients: [catalog.recipient], create: count === 1, generation, ...(condemned ? { condemned } : {}),
          ...(importedKnown ? { importedKnown } : {}),
        },
        subject: {
          snapshotId: `snap_${count}`, taskId: task, time: new Date(Date.UTC(2026, 0, count)).toISOString(), ...(previous ? { previousSnapshot: previous } : {}),
        },
        limits: { workers: 1 }, ...change,
      });
      previous = result.snapshot.sha256;
      return result;
    },
  };
};

/** A copy of the objects, to be damaged. */
export const copyOf = (store: MemoryStore): MemoryStore => memoryStore(new Map([...store.objects].map(([name, bytes]) => [name, Buffer.from(bytes)])));

/** SHA-256 in hex. */
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
