import { constants, open, readdir, realpath, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createHash } from 'node:crypto';
import { asBuffer, checkBody, sameBytes } from '../bytes.ts';
import { checkObjectName, checkPrefix } from '../names.ts';
import {
  type ByteRange, type ObjectInfo, type ObjectStore, objectNotFound, type PutOptions, type PutOutcome, type StreamWriter,
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

/** A store in a folder. */
export interface FsStore extends ObjectStore, StreamWriter {
  /** Removes temporary files, last written before `before` (ms since 1970), that killed writers left. Returns how many. */
  removeLeftovers(before: number): Promise<number>;
}

const guarded = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    throw fsError(name, error);
  }
};

const readRange = async (file: string, name: string, range: ByteRange | undefined): Promise<Uint8Array> => {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw objectNotFound(name);
    const { offset, length } = range ?? { offset: 0, length: info.size };
    if (offset + length > info.size) throw objectTruncated(name);
    if (length > maxObjectBytes) throw objectTooLarge(name, maxObjectBytes);
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
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  return entries.filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isFile()))
    .map((entry) => ({ name: folder === '' ? entry.name : `${folder}/${entry.name}`, folder: entry.isDirectory() }))
    // A folder sorts as its objects do: with the slash that follows its name.
    .sort((a, b) => Buffer.compare(Buffer.from(a.folder ? `${a.name}/` : a.name), Buffer.from(b.folder ? `${b.name}/` : b.name)));
};

async function* walk(root: string, folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
  for (const { name, folder: isFolder } of await entriesOf(root, folder)) {
    if (isFolder && (`${name}/`.startsWith(prefix) || prefix.startsWith(`${name}/`))) yield* walk(root, name, prefix);
    if (isFolder || !name.startsWith(prefix)) continue;
    const info = await stat(join(root, name)).catch(() => undefined);
    if (info?.isFile()) yield { name, size: info.size };
  }
}

/**
 * Objects as files below `folder`, which is made at the first write. An object appears whole or not at all: temporary file, fsync,
 * `link()` (fails if present), fsync of the folder. Links inside it are not followed for objects. Needs hard links.
 */
export const fsStore = (folder: string, options: FsStoreOptions = {}): FsStore => {
  const { checkBodies = true, sync = true } = options;
  const root = resolve(folder);
  const folders = new Map<string, Promise<void>>();
  const fileOf = (name: string): string => join(root, checkObjectName(name));

  const create = async (name: string, write: (file: TemporaryFile) => Promise<void>): Promise<PutOutcome> => {
    const file = fileOf(name);
    const folder = dirname(file);
    const made = folders.get(folder) ?? makeFolder(root, folder);
    folders.set(folder, made);
    const temporary = await made.then(() => openTemporary(file, sync)).catch(async (error: NodeJS.ErrnoException) => {
      folders.delete(folder);
      // Somebody removed the folder since.
      if (error.code !== 'ENOENT') throw error;
      await makeFolder(root, folder);
      return openTemporary(file, sync);
    });
    try {
      await write(temporary);
      return await temporary.publish();
    } finally {
      await temporary.dispose();
    }
  };

  return {
    put: (name, body, { sha256, signal }: PutOptions) => guarded(name, async () => {
      signal?.throwIfAborted();
      checkObjectName(name);
      if (checkBodies) checkBody(name, body, sha256);
      return create(name, ({ handle }) => writeAll(handle, body));
    }),
    putStream: (name, stream, { size, sha256, signal }) => guarded(name, () => create(name, async ({ handle }) => {
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
    })),
    get: (name, range, call) => guarded(name, async () => {
      call?.signal?.throwIfAborted();
      return asBuffer(await readRange(fileOf(name), name, range));
    }),
    head: (name) => guarded(name, async () => {
      const info = await stat(fileOf(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw error;
      });
      return info?.isFile() ? { name, size: info.size } : undefined;
    }),
    list: async function* (prefix, call) {
      checkPrefix(prefix);
      try {
        const base = await realpath(root).catch(() => root);
        for await (const info of walk(base, '', prefix)) {
          call?.signal?.throwIfAborted();
          yield info;
        }
      } catch (error) {
        throw fsError(prefix, error);
      }
    },
    delete: (name) => guarded(name, async () => {
      await unlink(fileOf(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
      });
    }),
    removeLeftovers: async (before) => {
      let removed = 0;
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
      for (const entry of entries.filter((found) => found.isFile() && found.name.startsWith(temporaryPrefix))) {
        const file = join(entry.parentPath, entry.name);
        const info = await stat(file).catch(() => undefined);
        if (!info || info.mtimeMs >= before) continue;
        await unlink(file).catch(() => undefined);
        removed++;
      }
      return removed;
    },
  };
};
