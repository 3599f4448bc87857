import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { joinPath, splitPath } from './safe-path.ts';

const { O_DIRECTORY, O_NOFOLLOW } = constants;
/** Linux: a descriptor that only stands for a place, so that no right to read is needed. Node has no constant for it. */
export const O_PATH = 0o10000000;
/** Directories kept open; the deepest are used again and again, as entries come by directory. */
const defaultCapacity = 128;

/** What is known of a directory below the destination: of this restore, there before, or only said by a dry run. */
export type DirectoryState = 'made' | 'existing' | 'virtual';

/**
 * Directories below an open one, reached without ever following a link: each component is opened with O_NOFOLLOW relative to its open
 * parent, by way of `/proc/self/fd` since Node has no openat. A link put into the path at any moment gives an error, not an escape.
 * Paths are bytes as latin1 strings. Use from one thread; the root descriptor may be shared among threads.
 */
export class SafeTree {
  private readonly open = new Map<string, number>();
  private readonly rootFd: number;
  private readonly capacity: number;

  constructor(rootFd: number, capacity: number = defaultCapacity) {
    this.rootFd = rootFd;
    this.capacity = capacity;
  }

  /** Descriptor (O_PATH) of a directory; valid until `capacity` others were asked for. Throws ENOENT, and ENOTDIR or ELOOP at a link or file. */
  directory(path: string): number {
    if (path === '') return this.rootFd;
    const known = this.open.get(path);
    if (known !== undefined) {
      this.open.delete(path);
      this.open.set(path, known);
      return known;
    }
    const { directory, name } = splitPath(path);
    const fd = openSync(childPath(this.directory(directory), name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    this.open.set(path, fd);
    this.evict(this.capacity + path.length / 2);
    return fd;
  }

  /** A path for system calls on the entry `name` of a directory. The last component is the caller's to protect (O_NOFOLLOW, lstat). */
  at(directory: string, name: string): Buffer {
    return childPath(this.directory(directory), name);
  }

  /** Makes a directory (0700) and returns true, or false when something of that name exists. */
  make(path: string): boolean {
    const { directory, name } = splitPath(path);
    try {
      mkdirSync(this.at(directory, name), { mode: 0o700 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** To be called when a directory or one above it was removed. */
  forget(path: string): void {
    for (const [known, fd] of this.open) {
      if (known !== path && !known.startsWith(joinPath(path, ''))) continue;
      this.open.delete(known);
      closeSync(fd);
    }
  }

  /** Closes all but the root, which is the caller's. */
  close(): void {
    for (const fd of this.open.values()) closeSync(fd);
    this.open.clear();
  }

  /** Never those above the one just opened, however deep it is, nor the last few used: the limit grows with the depth. */
  private evict(limit: number): void {
    if (this.open.size <= limit) return;
    const oldest = this.open.entries().next().value;
    if (!oldest) return;
    this.open.delete(oldest[0]);
    closeSync(oldest[1]);
  }
}

/** `/proc/self/fd` is that of the process, so this holds in each of its threads. */
export const childPath = (fd: number, name: string): Buffer => Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1');

/** A path to what a descriptor stands for, for calls that Node has by path only; nothing can be swapped under it. */
export const fdPath = (fd: number): string => `/proc/self/fd/${fd}`;
