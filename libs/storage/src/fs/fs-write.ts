import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fault } from '#kernel';
import type { PutOutcome } from '../object-store.port.ts';

/** Temporary files begin with this; no object name does. */
export const temporaryPrefix = '.tmp-';

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/**
 * Makes `folder` at or below `root` and fsyncs the folders from above what was made, and from `root`, down to its parent: also one
 * that a killed writer made and did not get to fsync.
 */
export const makeFolder = async (root: string, folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true });
  const below = relative(root, folder).split(sep).filter(Boolean);
  if (first && !first.startsWith(root + sep)) {
    for (let current = root; current.length >= first.length; current = dirname(current)) await syncFolder(dirname(current));
  }
  for (let depth = 0; depth < below.length; depth++) await syncFolder(join(root, ...below.slice(0, depth)));
};

/** Writes all parts at the end of the file, however many calls the kernel wants for it. */
export const writeAll = async (handle: FileHandle, body: readonly Uint8Array[]): Promise<void> => {
  let rest = body.filter((part) => part.length > 0);
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest.slice(0, 512));
    if (bytesWritten === 0) throw Object.assign(new Error('Nothing was written'), { code: 'ENOSPC' });
    let whole = 0;
    for (const part of rest) {
      if (bytesWritten < part.length) break;
      bytesWritten -= part.length;
      whole++;
    }
    rest = rest.slice(whole);
    const [torn] = rest;
    if (bytesWritten > 0 && torn) rest[0] = torn.subarray(bytesWritten);
  }
};

const linkOnce = async (from: string, to: string): Promise<PutOutcome> => {
  try {
    await link(from, to);
    return 'created';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') return 'exists';
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) {
      throw fault('refused', 'storage-without-links', 'The target folder is on a file system without hard links, which a create-only write needs', { cause: error });
    }
    throw error;
  }
};

/** A file under a temporary name: written, then published under `file` unless something is there, or discarded. */
export interface TemporaryFile {
  readonly handle: FileHandle;
  /** fsync, `link()` which fails when the name is taken, fsync of the folder. Durable when it resolves. */
  publish(): Promise<PutOutcome>;
  /** Closes and removes the temporary file; always to be called. */
  dispose(): Promise<void>;
}

/** Opens a temporary file beside `file`. The folder must be there. */
export const openTemporary = async (file: string, sync: boolean): Promise<TemporaryFile> => {
  const folder = dirname(file);
  const temporary = join(folder, `${temporaryPrefix}${process.pid}-${randomBytes(8).toString('hex')}`);
  const handle = await open(temporary, 'wx', 0o600);
  return {
    handle,
    publish: async () => {
      if (sync) await handle.datasync();
      const outcome = await linkOnce(temporary, file);
      if (sync) await syncFolder(folder);
      return outcome;
    },
    dispose: async () => {
      await handle.close();
      await unlink(temporary);
    },
  };
};
