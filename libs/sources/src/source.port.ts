import type { Stats } from 'node:fs';

/** What an entry of a snapshot is. `stream` is a database dump or the like: content without a place in a file system. */
export type EntryType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'block' | 'char' | 'stream';

/** A named extended attribute; ACLs are the attributes `system.posix_acl_access` and `system.posix_acl_default`. Raw bytes. */
export interface ExtendedAttribute {
  readonly name: Buffer;
  readonly value: Buffer;
}

/** One entry as the source sees it. Paths are raw bytes, never decoded to compare or to open. */
export interface SourceEntry {
  /** Relative to `/`: no leading slash, components separated by one `/`, none empty, `.` or `..`. */
  readonly path: Buffer;
  readonly type: EntryType;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names of uid and gid on the host, where known. */
  readonly user?: string;
  readonly group?: string;
  /** Bytes of content; 0 for what has none. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
  readonly device: bigint;
  /** Number of names of this inode; above 1 files of the same device and inode are one hard-link group. */
  readonly links: number;
  /** Major and minor in one number, for devices. */
  readonly rdev?: bigint;
  readonly linkTarget?: Buffer;
  readonly xattrs?: readonly ExtendedAttribute[];
  /** Absolute path to open, for files whose content is to be read. */
  readonly contentPath?: Buffer;
  /** Opens the content of a `stream` entry; called once, in order. */
  readonly open?: () => AsyncIterable<Uint8Array>;
}

/** Something that could not be read: reported, makes the run partial, never ends it. */
export interface SourceFault {
  /** Raw path relative to `/`. */
  readonly path: Buffer;
  /** Stable code: `unreadable`, `vanished`, `changed-while-read`, `xattrs-unreadable`, ... */
  readonly code: string;
  readonly detail: string;
}

/** What a plain `lstat` says of an entry: doubles, times in milliseconds. */
export type QuickFacts = Pick<Stats, 'mode' | 'uid' | 'gid' | 'size' | 'mtimeMs' | 'ctimeMs' | 'ino' | 'dev' | 'nlink'>;

/** Names of an entry's owner. */
export interface OwnerNames {
  readonly user: string | undefined;
  readonly group: string | undefined;
}

export interface WalkOptions {
  readonly signal?: AbortSignal;
  readonly onFault: (fault: SourceFault) => void;
  /** Said once each: what this machine or source cannot give at all (`xattrs-unavailable`, ...). A note does not make a run partial. */
  readonly onNote?: (code: string, detail: string) => void;
  /**
   * Asked once for each entry, in order and before it comes out, as the same object: false when the extended attributes of the previous
   * manifest are known to hold (its ctime is the same), since reading them costs as much as the walk. Then `xattrs` is absent.
   * Default: all are read.
   */
  readonly needsXattrs?: (entry: SourceEntry) => boolean;
  /**
   * Asked about each entry in order, before anything else of it is looked at: the entry as it is remembered, when these facts say that
   * nothing of it has changed. It comes out as it is. A source without facts of this kind never asks.
   */
  readonly recall?: (path: Buffer, facts: QuickFacts, owner: OwnerNames) => SourceEntry | undefined;
}

/**
 * Turns a source into entries. The order is the manifest's: by directory, then by name, directories compared component by
 * component as raw bytes; that is, all children of a directory in byte order, then each child directory's children in turn.
 * Ancestors of a chosen path are entries too. Each path comes once.
 */
export interface Source {
  /** For the snapshot's data section: type, paths, options; no secret. */
  readonly description: Readonly<Record<string, unknown>>;
  /** Batches, so that a walk of a million entries does not await a million times. */
  entries(options: WalkOptions): AsyncIterable<readonly SourceEntry[]>;
}
