import { constants, lstat, open, opendir, readdir, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createHash } from 'node:crypto';
import { checkBody, sameBytes } from '../bytes.ts';
import { checkObjectName, checkPrefix } from '../names.ts';
import {
  type ByteRange, type CallOptions, type LeftoverRemover, type ObjectInfo, type ObjectStore, objectNotFound, type PutOptions, type PutOutcome,
  type ReadOptions, type StreamPutOptions, type StreamWriter,
} from '../object-store.port.ts';
import { maxObjectBytes, objectMismatch, objectTooLarge, objectTruncated } from '../store-errors.ts';
import { fsError } from './fs-errors.ts';
import { makeFolder, openTemporary, temporaryPrefix, type TemporaryFile, writeAll } from './fs-write.ts';

/** How a folder is used as a store. */
export interface FsStoreOptions {
  /** Check the SHA-256 of what is to be written. Default true; a caller that has just hashed the same memory may save the time. */
  readonly checkBodies?: boolean;
  /** fsync files and folders. Default true; false only where nothing must survive a power cut. */
  readonly sync?: boolean;
}

const guarded = async <T>(name: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> => {
  try {
    signal?.throwIfAborted();
    return await call();
  } catch (error) {
    signal?.throwIfAborted();
    throw fsError(name, error);
  }
};

const unlessMissing = <T>(call: Promise<T>): Promise<T | undefined> => call.catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
});

const readRange = async (file: string, name: string, range: ByteRange | undefined, most: number): Promise<Uint8Array> => {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw objectNotFound(name);
    const { offset, length } = range ?? { offset: 0, length: info.size };
    if (offset + length > info.size) throw objectTruncated(name);
    if (length > most) throw objectTooLarge(name, most);
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw objectTruncated(name);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
};

interface Found { readonly name: string; readonly folder: boolean }

const entriesOf = async (root: string, folder: string): Promise<Found[]> => {
  const entries = (await unlessMissing(readdir(join(root, folder), { withFileTypes: true }))) ?? [];
  return entries.filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isFile()))
    .map((entry) => ({ name: folder === '' ? entry.name : `${folder}/${entry.name}`, folder: entry.isDirectory() }))
    // A folder sorts as its objects do: with the slash that follows its name.
    .sort((a, b) => Buffer.compare(Buffer.from(a.folder ? `${a.name}/` : a.name), Buffer.from(b.folder ? `${b.name}/` : b.name)));
};

async function* walk(root: string, folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
  for (const { name, folder: isFolder } of await entriesOf(root, folder)) {
    if (isFolder && (`${name}/`.startsWith(prefix) || prefix.startsWith(`${name}/`))) yield* walk(root, name, prefix);
    if (isFolder || !name.startsWith(prefix)) continue;
    const info = await unlessMissing(lstat(join(root, name)));
    if (info?.isFile()) yield { name, size: info.size, modified: info.mtimeMs };
  }
}

/** Temporary files at any depth; holds one entry of each folder on the way in memory. */
async function* temporaryFiles(folder: string): AsyncGenerator<string> {
  for await (const entry of (await unlessMissing(opendir(folder))) ?? []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* temporaryFiles(path);
    else if (entry.isFile() && entry.name.startsWith(temporaryPrefix)) yield path;
  }
}

/**
 * Objects as files below a folder, which is made at the first write. An object appears whole or not at all: temporary file, fsync,
 * `link()` (fails if present), fsync of the folder. Links are not followed for objects. Needs hard links.
 */
export class FsStore implements ObjectStore, StreamWriter, LeftoverRemover {
  private readonly root: string;
  private readonly checkBodies: boolean;
  private readonly sync: boolean;
  private readonly folders = new Map<string, Promise<void>>();

  constructor(folder: string, options: FsStoreOptions) {
    this.root = resolve(folder);
    this.checkBodies = options.checkBodies ?? true;
    this.sync = options.sync ?? true;
  }

  put(name: string, body: readonly Uint8Array[], { sha256, signal }: PutOptions): Promise<PutOutcome> {
    return guarded(name, signal, async () => {
      const file = this.fileOf(name);
      if (this.checkBodies) checkBody(name, body, sha256);
      return this.create(file, ({ handle }) => writeAll(handle, body));
    });
  }

  putStream(name: string, stream: AsyncIterable<Uint8Array>, { size, sha256, signal }: StreamPutOptions): Promise<PutOutcome> {
    return guarded(name, signal, () => this.create(this.fileOf(name), async ({ handle }) => {
      const hash = createHash('sha256');
      let written = 0;
      for await (const part of stream) {
        signal?.throwIfAborted();
        written += part.length;
        if (written > size) throw objectMismatch(name);
        hash.update(part);
        await writeAll(handle, [part]);
      }
      if (written !== size || !sameBytes(hash.digest(), sha256)) throw objectMismatch(name);
    }));
  }

  get(name: string, range?: ByteRange, options?: ReadOptions): Promise<Uint8Array> {
    return guarded(name, options?.signal, async () => readRange(this.fileOf(name), name, range, (range ? undefined : options?.maxBytes) ?? maxObjectBytes));
  }

  head(name: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return guarded(name, options?.signal, async () => {
      const info = await unlessMissing(lstat(this.fileOf(name)));
      return info?.isFile() ? { name, size: info.size } : undefined;
    });
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    try {
      for await (const info of walk(this.root, '', prefix)) {
        options?.signal?.throwIfAborted();
        yield info;
      }
    } catch (error) {
      options?.signal?.throwIfAborted();
      throw fsError(prefix, error);
    }
  }

  delete(name: string, options?: CallOptions): Promise<void> {
    return guarded(name, options?.signal, async () => unlessMissing(unlink(this.fileOf(name))));
  }

  async removeLeftovers(prefix: string, before: number, options?: CallOptions): Promise<number> {
    checkPrefix(prefix);
    let removed = 0;
    for await (const file of temporaryFiles(join(this.root, prefix))) {
      options?.signal?.throwIfAborted();
      const info = await unlessMissing(lstat(file));
      if (!info || info.mtimeMs >= before) continue;
      await unlessMissing(unlink(file));
      removed++;
    }
    return removed;
  }

  private fileOf(name: string): string {
    return join(this.root, checkObjectName(name));
  }

  private async create(file: string, write: (file: TemporaryFile) => Promise<void>): Promise<PutOutcome> {
    const temporary = await this.openBeside(file);
    try {
      await write(temporary);
      return await temporary.publish();
    } finally {
      await temporary.dispose();
    }
  }

  private async openBeside(file: string): Promise<TemporaryFile> {
    const folder = dirname(file);
    const made = this.folders.get(folder) ?? makeFolder(this.root, folder);
    this.folders.set(folder, made);
    try {
      await made;
      return await openTemporary(file, this.sync);
    } catch (error) {
      this.folders.delete(folder);
      // Somebody removed the folder since.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await makeFolder(this.root, folder);
      return openTemporary(file, this.sync);
    }
  }
}

/** The folder as a store. */
export const fsStore = (folder: string, options: FsStoreOptions = {}): FsStore => new FsStore(folder, options);
