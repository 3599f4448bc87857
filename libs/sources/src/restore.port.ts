import type { Clock } from '#kernel';
import type { EntryType, SourceEntry, SourceFault } from './source.port.ts';

/** What to do where something exists already. `if-changed` looks at size and modification time, `if-newer` at the latter alone. */
export type RestoreMode = 'always' | 'if-changed' | 'if-newer' | 'never';

/** One entry of a manifest. Comes from a storage that may lie: nothing in it is trusted. */
export type RestoreEntry = Omit<SourceEntry, 'ctimeNs' | 'contentPath' | 'open'>;

/** Permission to remove what the snapshot does not have. */
export interface DeleteExtraneous {
  /**
   * Paths that were backed up whole *and* are restored whole now, relative to `/` (a restore of one path of a snapshot: that path).
   * Only in them and below them things are removed, and only when the restore had no fault.
   */
  readonly roots: readonly Buffer[];
  /** True for what must stay although the snapshot lacks it: excluded then, unreadable then. Path relative to `/`. */
  readonly keep?: (path: Buffer, directory: boolean) => boolean;
}

export interface RestoreOptions {
  /** Absolute path of the directory to write into; made when missing. Links in this path itself are followed once, at the start. */
  readonly destination: Buffer | string;
  /** A directory of the snapshot, relative to `/`, that becomes the destination: its path is cut off. Default: nothing is cut off. */
  readonly base?: Buffer;
  readonly mode: RestoreMode;
  /** Decide and count, write nothing. */
  readonly dryRun?: boolean;
  readonly deleteExtraneous?: DeleteExtraneous;
  /** Set owners and groups. Default: when running as root. */
  readonly ownership?: boolean;
  readonly clock?: Clock;
  /**
   * Something that could not be restored or was refused. Never ends the restore. `restore-destination-full`, `-read-only` and `-denied`
   * say that the destination and not the entry is the reason.
   */
  readonly onFault: (fault: SourceFault) => void;
  /** Said once each: what this machine cannot do at all (`xattrs-unavailable`, `owners-skipped`, `sockets-skipped`, ...). */
  readonly onNote?: (code: string, detail: string) => void;
}

/** A file to be written: plain data that goes to a worker thread by `postMessage`. Names are bytes as latin1 strings. */
export interface FileTicket {
  readonly id: number;
  /** Directory below the destination; empty for the destination itself. */
  readonly directory: string;
  readonly name: string;
  /** Name to write under until the file is whole; equal to `name` in directories this restore made. */
  readonly stagedAs: string;
  readonly size: number;
  readonly mode: number;
  /** Absent when owners are not restored. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mtimeNs: bigint;
  /** The mode is set by `finish`, after the extended attributes. */
  readonly modeLater: boolean;
}

/** What became of one entry. */
export type Placement =
  /** Its content is to be written by a `ContentWriter`; then `settle` must be called. */
  | { readonly action: 'write'; readonly ticket: FileTicket }
  /** Made, or will be by `finish` (links to files that are not written yet). No content wanted. */
  | { readonly action: 'placed' }
  /** Left as it is: the mode says so, or it lies outside `base`. */
  | { readonly action: 'skipped' }
  /** Reported to `onFault`. */
  | { readonly action: 'refused' };

/** What a restore did, or would do (`dryRun`). */
export interface RestoreSummary {
  readonly entries: number;
  readonly created: Readonly<Partial<Record<EntryType, number>>>;
  /** Names made as further hard links to a file of this restore; not in `created`. */
  readonly hardLinks: number;
  readonly skipped: number;
  /** Directories among the skipped that were there already and take what is restored into them. */
  readonly adopted: number;
  readonly deleted: number;
  readonly faults: number;
  /** Content bytes of the files counted in `created`. */
  readonly bytes: number;
}

/** What is known of where in the destination nothing can be written. */
export interface DestinationPlaces {
  /** Tells that a piece of a file could not be written, as soon as that is known; the file is settled later. */
  note(ticket: FileTicket, error: unknown): void;
  /** Why it is of no use to fetch a file's content now: the destination is full, read-only or closed to this user. Settle it with this. */
  refusal(ticket: FileTicket): Error | undefined;
}

/** Builds a tree from entries, on the main thread. Contents are written by `ContentWriter`s, in any thread of this process. */
export interface RestoreWriter {
  /** The destination, open. Give it to `contentWriter` in the worker threads. Valid until `finish` or `abandon`. */
  readonly rootFd: number;
  readonly places: DestinationPlaces;
  /**
   * Entries in manifest order, in batches of any size; ancestors may be missing. Makes directories, links, fifos and devices. Further
   * names of a hard-link group come back as `placed`: only the first name that is restored wants content.
   */
  place(entries: readonly RestoreEntry[]): Promise<readonly Placement[]>;
  /**
   * Says that a ticket's file is complete, or why it is not: the error that the `ContentWriter` threw (an error or its text, also of
   * another thread). Only when no thread will write to it any more. Every ticket must be settled before `finish`.
   */
  settle(ticket: FileTicket, error?: unknown): void;
  /**
   * Hard links, removals, extended attributes, and what directories need (deepest first). Call once. `manifestComplete` is false when
   * entries were lost on the way to `place`: then nothing is removed, as what seems extraneous may be what was lost. Default true.
   */
  finish(manifestComplete?: boolean): Promise<RestoreSummary>;
  /** Removes staged files of unsettled tickets and closes; whole files stay. For a restore that ends early. */
  abandon(): void;
}

/**
 * Writes contents below the destination without following any link. Synchronous, for worker threads (fine on the main thread for
 * little). Every method throws the system's error, or `facts-incomplete` when the content is there but its owner, mode or times could
 * not all be set; the caller reports both through `RestoreWriter.settle`.
 */
export interface ContentWriter {
  /** A whole file in one go: `pieces` one after the other, then owner, mode, times, final name. */
  writeAll(ticket: FileTicket, pieces: readonly Uint8Array[]): void;
  /** One piece of a larger file at `position`. Several threads may write different pieces of one ticket at once. */
  write(ticket: FileTicket, bytes: Uint8Array, position: number): void;
  /** After the last piece of all threads: length, owner, mode, times, final name. By one thread only. */
  complete(ticket: FileTicket): void;
  /** Removes what `write` made of a file that cannot be completed. */
  discard(ticket: FileTicket): void;
  /** Closes what is kept open. */
  close(): void;
}
