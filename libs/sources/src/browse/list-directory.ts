import { type BigIntStats, lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { fault } from '#kernel';
import type { EntryType } from '../source.port.ts';
import { typeOfMode } from '../walk/entry.ts';

/** Which part of a directory to list. */
export interface DirectoryPage {
  /** The last name of the page before; absent for the first page. Raw bytes. */
  readonly after?: Buffer;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** One name in a directory. What could not be looked at has only a name and the reason. */
export type ListedEntry =
  | {
    readonly name: Buffer;
    readonly type: EntryType;
    /** Bytes of content; 0 for what has none. */
    readonly size: number;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly mtimeNs: bigint;
  }
  | { readonly name: Buffer; readonly error: string };

/** One page of a directory, sorted by bytes. */
export interface DirectoryListing {
  readonly entries: readonly ListedEntry[];
  /** Names in the directory altogether. */
  readonly total: number;
  /** Give it as `after` for the next page; absent on the last. */
  readonly next?: Buffer;
  /** Why there is no list: the system's code, for example `EACCES`, `ENOENT` or `ENOTDIR`. */
  readonly error?: string;
}

const longestPage = 1000;

/** Lists a directory of this host, for choosing what to back up. What may not be read is told as data; only a wrong page throws. */
export const listDirectory = async (path: string | Buffer, page: DirectoryPage): Promise<DirectoryListing> => {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > longestPage) {
    throw fault('validation', 'page-limit-invalid', `Ask for 1 to ${longestPage} names at a time`);
  }
  const directory = Buffer.from(path);
  let names: string[];
  try {
    names = (await readdir(directory, { encoding: 'latin1' })).sort();
  } catch (error) {
    return { entries: [], total: 0, error: codeOf(error) };
  }
  const after = page.after?.toString('latin1');
  const start = after === undefined ? 0 : names.findIndex((name) => name > after);
  const chosen = start < 0 ? [] : names.slice(start, start + page.limit);
  const last = chosen.at(-1);
  const more = last !== undefined && start + page.limit < names.length;
  return {
    entries: chosen.map((name) => listed(directory, Buffer.from(name, 'latin1'))),
    total: names.length,
    ...(more ? { next: Buffer.from(last, 'latin1') } : undefined),
  };
};

const listed = (directory: Buffer, name: Buffer): ListedEntry => {
  let stats: BigIntStats;
  try {
    stats = lstatSync(Buffer.concat([directory, Buffer.from('/'), name]), { bigint: true });
  } catch (error) {
    return { name, error: codeOf(error) };
  }
  const type = typeOfMode(Number(stats.mode));
  if (!type) return { name, error: 'EINVAL' };
  return {
    name, type, size: type === 'file' ? Number(stats.size) : 0, mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid), gid: Number(stats.gid), mtimeNs: stats.mtimeNs,
  };
};

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'EIO';
