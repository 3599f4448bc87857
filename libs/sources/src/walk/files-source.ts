import { setImmediate as turn } from 'node:timers/promises';
import { messageOf } from '#kernel';
import type { FilesSource } from '#contracts';
import type { Source, SourceEntry, WalkOptions } from '../source.port.ts';
import { excludeMatcher } from './excludes.ts';
import { type HostNames, hostNames } from './host-names.ts';
import { rootTree } from './roots.ts';
import { walk } from './walk.ts';
import { type XattrBatch, type XattrReader, xattrReader } from './xattr-reader.ts';

/** Options of a task's `files` source, and the facts of the host, which a test may replace. */
export interface FilesSourceOptions extends Partial<Pick<FilesSource, 'excludes' | 'oneFileSystem' | 'excludeCaches'>> {
  /** Absolute paths; raw bytes where they are not UTF-8. */
  readonly paths: readonly (string | Buffer)[];
  readonly names?: HostNames;
  /** `null`: this machine has none. Default: `getfattr`, where installed. */
  readonly xattrs?: XattrReader | null;
}

/** Entries of the first batch, so that work starts soon; each is twice the one before, as every batch may cost a call of `getfattr`. */
const firstBatch = 1024;
const largestBatch = 4096;
/** Entries that are all remembered need no such call, and are let go while they are young. */
const recalledBatch = 256;
/** Entries after which the event loop gets a turn: about 3 ms. */
const burst = 512;
/** Batches whose attributes are being read while the walk goes on. */
const ahead = 2;

/**
 * Directories and files of this host. Entries have owners' names where `/etc/passwd` and `/etc/group` know them, extended attributes and
 * ACLs where `getfattr` is installed (otherwise `onNote` says `xattrs-unavailable` once). What cannot be read is a fault, not an end.
 * Throws `source-path-invalid` and `exclude-invalid`.
 */
export const filesSource = (options: FilesSourceOptions): Source => {
  const excluded = excludeMatcher(options.excludes ?? []);
  const { oneFileSystem = false, excludeCaches = true } = options;
  const { tree, aliases } = rootTree(options.paths);
  return {
    description: {
      type: 'files',
      paths: options.paths.map((path) => path.toString()),
      ...(options.excludes?.length ? { excludes: options.excludes } : undefined),
      oneFileSystem,
      excludeCaches,
    },
    async *entries(walkOptions) {
      for (const { asked, walked } of aliases) {
        walkOptions.onNote?.('path-through-link', `${asked} leads through a link and is kept as ${walked}`);
      }
      const { onFault, recall: ask } = walkOptions;
      const counter = { recalled: 0 };
      const recall: typeof ask = ask && ((path, facts, owner) => {
        const entry = ask(path, facts, owner);
        if (entry) counter.recalled++;
        return entry;
      });
      const rules = { excluded, oneFileSystem, excludeCaches, names: options.names ?? hostNames(), onFault, ...(recall ? { recall } : undefined) };
      yield* withXattrs(inBatches(walk(tree, rules), counter, walkOptions.signal), options.xattrs, walkOptions);
    },
  };
};

/** Joins the walk's steps to batches and lets the event loop run. */
async function* inBatches(
  steps: Iterable<SourceEntry[]>, counter: { recalled: number }, signal: AbortSignal | undefined,
): AsyncGenerator<SourceEntry[]> {
  let batch: SourceEntry[] = [];
  let sinceTurn = 0;
  let size = firstBatch;
  for (const entries of steps) {
    for (const entry of entries) batch.push(entry);
    sinceTurn += entries.length + 1;
    if (sinceTurn >= burst) {
      sinceTurn = 0;
      await turn();
      signal?.throwIfAborted();
    }
    if (batch.length >= recalledBatch && batch.length === counter.recalled) {
      yield batch;
      batch = [];
      counter.recalled = 0;
    }
    while (batch.length >= size) {
      counter.recalled = 0;
      yield batch.slice(0, size);
      batch = batch.slice(size);
      size = Math.min(size * 2, largestBatch);
    }
  }
  if (batch.length > 0) yield batch;
}

/** Adds attributes to the entries that need them, reading those of some batches while the walk goes on. */
async function* withXattrs(
  batches: AsyncIterable<SourceEntry[]>, reader: XattrReader | null | undefined, options: WalkOptions,
): AsyncGenerator<readonly SourceEntry[]> {
  const read = reader === undefined ? xattrReader() : reader;
  if (!read) {
    options.onNote?.('xattrs-unavailable', 'Extended attributes and ACLs are not kept: install the package "attr", which has getfattr');
    yield* batches;
    return;
  }
  const pending: Promise<readonly SourceEntry[]>[] = [];
  // None at first: whoever reads contents waits for the first batch.
  let waiting = 0;
  for await (const batch of batches) {
    const completed = complete(batch, read, options);
    // Awaited below, in order; until then a failure has to wait.
    completed.catch(() => undefined);
    pending.push(completed);
    if (pending.length <= waiting) continue;
    yield await (pending.shift() as Promise<readonly SourceEntry[]>);
    waiting = Math.min(waiting + 1, ahead);
  }
  for (const batch of pending) yield await batch;
}

const complete = async (batch: SourceEntry[], read: XattrReader, options: WalkOptions): Promise<readonly SourceEntry[]> => {
  const wanting = options.needsXattrs ? batch.filter(options.needsXattrs) : batch;
  if (wanting.length === 0) return batch;
  const keys = new Map(wanting.map((entry) => [entry, absolute(entry)]));
  let found: XattrBatch;
  try {
    found = await read([...keys.values()]);
  } catch (error) {
    for (const entry of wanting) options.onFault({ path: entry.path, code: 'xattrs-unreadable', detail: messageOf(error) });
    return batch;
  }
  if (found.attributes.size === 0 && found.failed.size === 0) return batch;
  for (const [entry, path] of keys) {
    const key = path.toString('latin1');
    const failure = found.failed.get(key);
    if (failure !== undefined) options.onFault({ path: entry.path, code: 'xattrs-unreadable', detail: failure });
    // Into the same object: whoever was asked about it may have noted something for it.
    (entry as Writable<SourceEntry>).xattrs = found.attributes.get(key);
  }
  return batch;
};

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const absolute = (entry: SourceEntry): Buffer => entry.contentPath ?? Buffer.concat([Buffer.from('/'), entry.path]);
