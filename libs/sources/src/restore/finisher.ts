import { chmodSync, chownSync, closeSync, constants, openSync, utimesSync } from 'node:fs';
import type { RestoreEntry } from '../restore.port.ts';
import { assertComplete, attemptAll } from './facts.ts';
import type { SafePath } from './safe-path.ts';
import { O_PATH, type SafeTree, fdPath } from './safe-tree.ts';
import { utimesArgument } from './times.ts';
import { canWriteXattrs, writeXattrs } from './xattr-writer.ts';

/** Facts of an entry that are set at the end: what they are set on must not change any more. */
export interface PendingFacts {
  readonly at: SafePath;
  readonly source: Buffer;
  readonly entry: Pick<RestoreEntry, 'type' | 'mode' | 'uid' | 'gid' | 'mtimeNs' | 'xattrs'>;
}

/** What the last pass needs. */
export interface FinishOptions {
  readonly rootFd: number;
  readonly tree: SafeTree;
  readonly ownership: boolean;
  readonly failed: (path: Buffer, error: unknown) => void;
  readonly note: (code: string, detail: string) => void;
}

/**
 * Extended attributes (after the owner, as a change of owner clears some; before the mode, as one may not write those of a read-only
 * file), modes, times; directories last and deepest first, as each change inside sets a directory's time.
 */
export const applyPending = async (pending: readonly PendingFacts[], options: FinishOptions): Promise<void> => {
  const directories = pending.filter((one) => one.entry.type === 'directory').reverse();
  const others = pending.filter((one) => one.entry.type !== 'directory');
  if (options.ownership) {
    for (const { at, source, entry } of directories) {
      attempt(source, options, () => chownSync(fdPath(options.tree.directory(at.path)), entry.uid, entry.gid));
    }
  }
  await applyXattrs([...others, ...directories], options);
  for (const one of others) attempt(one.source, options, () => setModeAndTimes(one, options));
  for (const { at, source, entry } of directories) {
    attempt(source, options, () => setThrough(options.tree.directory(at.path), entry));
  }
};

const applyXattrs = async (pending: readonly PendingFacts[], options: FinishOptions): Promise<void> => {
  const jobs = pending.flatMap(({ at, source, entry }) =>
    entry.xattrs?.length ? [{ directory: at.directory, name: at.name === '' ? '.' : at.name, path: source, xattrs: entry.xattrs }] : []);
  if (jobs.length === 0) return;
  if (!canWriteXattrs()) {
    options.note('xattrs-unavailable', `Extended attributes and ACLs of ${jobs.length} entries are not restored: install the package "attr"`);
    return;
  }
  await writeXattrs(options.rootFd, jobs, (path, detail) => options.failed(path, new Error(`extended attributes: ${detail}`)));
};

/** By a descriptor that opens nothing: a device does nothing, a fifo does not block, a link put there meanwhile is an error. */
const setModeAndTimes = ({ at, entry }: PendingFacts, options: FinishOptions): void => {
  if (entry.type === 'symlink') return;
  const fd = openSync(options.tree.at(at.directory, at.name), O_PATH | constants.O_NOFOLLOW);
  try {
    setThrough(fd, entry);
  } finally {
    closeSync(fd);
  }
};

const setThrough = (fd: number, entry: PendingFacts['entry']): void => {
  const time = utimesArgument(entry.mtimeNs);
  assertComplete(attemptAll([() => chmodSync(fdPath(fd), entry.mode), () => utimesSync(fdPath(fd), time, time)]));
};

const attempt = (source: Buffer, options: FinishOptions, act: () => void): void => {
  try {
    act();
  } catch (error) {
    options.failed(source, error);
  }
};
