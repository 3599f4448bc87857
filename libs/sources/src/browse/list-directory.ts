import { type BigIntStats, type Dir, type Dirent } from 'node:fs';
import { lstat, opendir, realpath } from 'node:fs/promises';
import { type Clock, fault, isAppError } from '#kernel';
import type { EntryType } from '../source.port.ts';
import { type HostNames, hostNames } from '../walk/host-names.ts';
import { typeOfMode } from '../walk/entry.ts';
import { type FirstNames, firstNames } from './first-names.ts';
import type { PatientCall } from './patient-calls.ts';

/** Which part of a directory to list. */
export interface DirectoryPage {
  /** The last name of the page before; absent for the first page. Raw bytes. */
  readonly after?: Buffer;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** One name in a directory. What could not be looked at has the reason, and its type where the directory tells it. */
export type ListedEntry =
  | {
    readonly name: Buffer;
    readonly type: EntryType;
    /** Bytes of content; 0 for what has none. */
    readonly size: number;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly user?: string;
    readonly group?: string;
    readonly mtimeNs: bigint;
  }
  | { readonly name: Buffer; readonly type?: EntryType; readonly error: string };

/** One page of a directory, sorted by bytes. */
export interface DirectoryListing {
  readonly entries: readonly ListedEntry[];
  /** Names in the directory altogether. */
  readonly total: number;
  /** Give it as `after` for the next page; absent on the last. */
  readonly next?: Buffer;
  /** Why there is no list: the system's code, for example `EACCES`, `ENOENT`, `ENOTDIR`, or `ETIMEDOUT` where the file system does not answer. */
  readonly error?: string;
}

/** What a lister needs. */
export interface DirectoryListerOptions {
  readonly clock: Clock;
  readonly call: PatientCall;
  /** Directories that may be looked into, with everything below; default: all. */
  readonly roots?: readonly string[] | undefined;
}

const longestPage = 1000;
/** Milliseconds that a listing may take; an answer after that would come too late. */
const budgetMs = 5_000;
/** Milliseconds that one entry may take before the others go on without it: a mount point whose server is away. */
const entryMs = 500;
/** Names taken from the system at once, and read in one turn. */
const [buffered, turn] = [512, 8192];

const check = (path: Buffer, limit: number): void => {
  if (!Number.isInteger(limit) || limit < 1 || limit > longestPage) throw fault('validation', 'page-limit-invalid', `Ask for 1 to ${longestPage} names at a time`);
  const parts = path.toString('latin1').replace(/(?<=.)\/$/, '').split('/').slice(1);
  const odd = parts.length > 1 || parts[0] !== '' ? parts.some((part) => ['', '.', '..'].includes(part)) : false;
  if (path[0] !== 0x2f || path.length > 4096 || path.includes(0) || odd) {
    throw fault('validation', 'path-invalid', 'Give the path of a directory from /, without empty parts, . or .., of at most 4096 bytes');
  }
};

const isBelow = (root: Buffer, path: Buffer): boolean => {
  const prefix = root.length === 1 ? root : Buffer.concat([root, Buffer.from('/')]);
  return path.equals(root) || path.subarray(0, prefix.length).equals(prefix);
};

const notAllowed = (roots: readonly string[]) =>
  fault('forbidden', 'browse-not-allowed', `This agent shows only ${roots.join(', ') || 'nothing'}; HOLDFAST_AGENT_BROWSE on the host says so`);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'EIO';

const typeOf = (entry: Dirent<Buffer>): EntryType | undefined => {
  const kinds = [
    ['file', entry.isFile()], ['directory', entry.isDirectory()], ['symlink', entry.isSymbolicLink()], ['fifo', entry.isFIFO()],
    ['socket', entry.isSocket()], ['block', entry.isBlockDevice()], ['char', entry.isCharacterDevice()],
  ] as const;
  return kinds.find(([, is]) => is)?.[0];
};

const listed = (name: Buffer, stats: BigIntStats, owners: HostNames): ListedEntry => {
  const type = typeOfMode(Number(stats.mode));
  if (!type) return { name, error: 'EINVAL' };
  const [uid, gid] = [Number(stats.uid), Number(stats.gid)];
  const [user, group] = [owners.user(uid), owners.group(gid)];
  return {
    name, type, size: type === 'file' ? Number(stats.size) : 0, mode: Number(stats.mode) & 0o7777, uid, gid, mtimeNs: stats.mtimeNs,
    ...(user === undefined ? {} : { user }), ...(group === undefined ? {} : { group }),
  };
};

/** Reads the next names into `names`; false at the end. Memory is that of the page, however many names there are. */
const readTurn = async (directory: Dir, names: FirstNames<EntryType | undefined>): Promise<boolean> => {
  for (let count = 0; count < turn; count++) {
    const entry = (await directory.read()) as Dirent<Buffer> | null;
    if (!entry) return false;
    names.add(entry.name, () => typeOf(entry));
  }
  return true;
};

/** A name that is on the page. */
interface Chosen {
  readonly name: Buffer;
  readonly extra: EntryType | undefined;
}

/** Lists directories of this host, for choosing what to back up. */
export class DirectoryLister {
  private readonly clock: Clock;
  private readonly call: PatientCall;
  private readonly roots: readonly string[] | undefined;

  constructor({ clock, call, roots }: DirectoryListerOptions) {
    this.clock = clock;
    this.call = call;
    this.roots = roots;
  }

  /** One page. What may not be read is told as data; throws `path-invalid`, `page-limit-invalid` and `browse-not-allowed`. */
  async list(given: Buffer, page: DirectoryPage): Promise<DirectoryListing> {
    check(given, page.limit);
    const path = given.length > 1 && given.at(-1) === 0x2f ? given.subarray(0, -1) : given;
    const deadline = this.clock.monotonic() + budgetMs;
    const names = firstNames<EntryType | undefined>(page.limit + 1, page.after);
    try {
      if (!(await this.mayLook(path, deadline))) throw notAllowed(this.roots ?? []);
      await this.read(path, names, deadline);
    } catch (error) {
      if (isAppError(error)) throw error;
      return { entries: [], total: 0, error: codeOf(error) };
    }
    const owners = hostNames();
    const chosen = names.list().slice(0, page.limit);
    const entries = await Promise.all(chosen.map((one) => this.look(path, one, owners, deadline)));
    const last = chosen.at(-1);
    return { entries, total: names.total(), ...(last && names.list().length > page.limit ? { next: last.name } : {}) };
  }

  private async mayLook(path: Buffer, deadline: number): Promise<boolean> {
    if (this.roots === undefined) return true;
    const roots = this.roots.map((root) => Buffer.from(root));
    if (!roots.some((root) => isBelow(root, path))) return false;
    // A link below an allowed directory may lead out of it.
    const follow = (place: Buffer): Promise<Buffer> => this.call(() => realpath(place, { encoding: 'buffer' }), deadline);
    const real = await follow(path);
    const reals = await Promise.all(roots.map((root) => follow(root).catch(() => root)));
    return reals.some((root) => isBelow(root, real));
  }

  private async read(path: Buffer, names: FirstNames<EntryType | undefined>, deadline: number): Promise<void> {
    // The types do not know that names may come as bytes.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: buffered };
    const directory = await this.call(() => opendir(path as unknown as string, options), deadline);
    try {
      while (await this.call(() => readTurn(directory, names), deadline));
    } finally {
      // What hangs is closed when it returns, and not waited for.
      void directory.close().catch(() => undefined);
    }
  }

  private async look(directory: Buffer, { name, extra }: Chosen, owners: HostNames, deadline: number): Promise<ListedEntry> {
    const place = Buffer.concat([directory, Buffer.from('/'), name]);
    try {
      const stats = await this.call(() => lstat(place, { bigint: true }), Math.min(deadline, this.clock.monotonic() + entryMs));
      return listed(name, stats, owners);
    } catch (error) {
      return { name, ...(extra ? { type: extra } : {}), error: codeOf(error) };
    }
  }
}
