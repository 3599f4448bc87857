import { closeSync, constants, openSync, readSync, realpathSync } from 'node:fs';
import { messageOf } from '#kernel';
import { compareManifestPaths } from '../path-order.ts';
import { mtimeToleranceNs, sameTime } from '../restore/times.ts';
import { isPrivileged } from '../privileged.ts';
import type { EntryType, ExtendedAttribute, SourceEntry } from '../source.port.ts';
import { type FilesSourceOptions, filesSource } from '../walk/files-source.ts';

/** What two trees may differ in. */
export type DifferenceKind =
  | 'missing' | 'extra' | 'type' | 'mode' | 'owner' | 'size' | 'content' | 'link-target' | 'mtime' | 'device' | 'xattrs' | 'hard-links'
  | 'unreadable';

/** One difference of one entry. */
export interface TreeDifference {
  /** Relative to the compared directories; empty for them themselves. Raw bytes. */
  readonly path: Buffer;
  readonly kind: DifferenceKind;
  readonly detail: string;
}

export interface CompareOptions extends Pick<FilesSourceOptions, 'excludes' | 'xattrs' | 'oneFileSystem' | 'excludeCaches'> {
  /** Default 1,000 ns: Node cannot set times more exactly. */
  readonly mtimeToleranceNs?: bigint;
  /** Compare owners, groups and attributes that only root may set. Default: when running as root, as nobody else can restore them. */
  readonly owners?: boolean;
  /** Compare mode, owner, time and attributes of the two directories themselves. Default true. */
  readonly top?: boolean;
  /** Differences to keep; all are counted. Default 100. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface TreeComparison {
  readonly identical: boolean;
  /** The first of them, in manifest order. */
  readonly differences: readonly TreeDifference[];
  readonly differenceCount: number;
  /** Entries compared, by what they are in `a`. Sockets are not compared: they are never restored. */
  readonly files: number;
  readonly directories: number;
  readonly others: number;
  readonly sockets: number;
  /** Content bytes compared. */
  readonly bytes: number;
  /** Codes of what could not be compared on this machine, for example `xattrs-unavailable`. */
  readonly notes: readonly string[];
}

/**
 * Compares two directories entry by entry: type, mode, owner, size, every byte of content, link target, device number, modification time
 * within the tolerance, extended attributes where `getfattr` is installed, and which files are one (hard links). Streams: memory does not
 * grow with the trees, except by their hard-linked files.
 */
export const compareTrees = async (a: string | Buffer, b: string | Buffer, options: CompareOptions = {}): Promise<TreeComparison> => {
  const comparison = new Comparison(options);
  const left = side(a, options, comparison);
  const right = side(b, options, comparison);
  let [x, y] = [await nextOf(left), await nextOf(right)];
  while (x || y) {
    options.signal?.throwIfAborted();
    const order = orderOf(x, y);
    comparison.take(order <= 0 ? x : undefined, order >= 0 ? y : undefined);
    if (order <= 0) x = await nextOf(left);
    if (order >= 0) y = await nextOf(right);
  }
  return comparison.result();
};

const nextOf = async (entries: AsyncGenerator<Placed, void>): Promise<Placed | undefined> => {
  const next = await entries.next();
  return next.done ? undefined : next.value;
};

/** An ended side comes after everything. */
const orderOf = (x: Placed | undefined, y: Placed | undefined): number => {
  if (!x || !y) return x ? -1 : 1;
  return compareManifestPaths(x.relative, y.relative);
};

/** An entry with its path below the compared directory. */
interface Placed {
  readonly relative: Buffer;
  readonly entry: SourceEntry;
}

async function* side(directory: string | Buffer, options: CompareOptions, comparison: Comparison): AsyncGenerator<Placed, void> {
  const path = realpathSync(Buffer.from(directory), { encoding: 'buffer' });
  const { excludes, xattrs, oneFileSystem, excludeCaches = false } = options;
  const source = filesSource({
    paths: [path], excludeCaches,
    ...(excludes ? { excludes } : undefined), ...(xattrs === undefined ? undefined : { xattrs }), ...(oneFileSystem ? { oneFileSystem } : undefined),
  });
  // Entries come relative to `/`; what is above the compared directory is of no interest.
  const cut = path.length;
  const batches = source.entries({
    onFault: ({ path: at, code, detail }) => comparison.differ(at.subarray(cut), 'unreadable', `${code}: ${detail}`),
    onNote: (code) => comparison.notes.add(code),
    ...(options.signal ? { signal: options.signal } : undefined),
  });
  for await (const batch of batches) {
    for (const entry of batch) {
      if (entry.path.length < cut - 1) continue;
      yield { relative: entry.path.subarray(cut), entry };
    }
  }
}

/** Bytes read of each file at a time. */
const blockSize = 1 << 20;

class Comparison {
  readonly notes = new Set<string>();
  private readonly options: CompareOptions;
  private readonly tolerance: bigint;
  private readonly owners: boolean;
  private readonly limit: number;
  private readonly differences: TreeDifference[] = [];
  private readonly twins = { a: new Map<string, string>(), b: new Map<string, string>() };
  private readonly blocks = [Buffer.allocUnsafe(blockSize), Buffer.allocUnsafe(blockSize)] as const;
  private readonly counts = { differences: 0, files: 0, directories: 0, others: 0, sockets: 0, bytes: 0 };

  constructor(options: CompareOptions) {
    this.options = options;
    this.tolerance = options.mtimeToleranceNs ?? mtimeToleranceNs;
    this.owners = options.owners ?? process.getuid?.() === 0;
    this.limit = options.limit ?? 100;
  }

  differ(path: Buffer, kind: DifferenceKind, detail: string): void {
    this.counts.differences++;
    if (this.differences.length < this.limit) this.differences.push({ path: Buffer.from(path), kind, detail });
  }

  /** The next path in order, with what each tree has there. */
  take(a: Placed | undefined, b: Placed | undefined): void {
    if (a && b) this.pair(a, b);
    else if (a) this.lone(a, 'missing');
    else if (b) this.lone(b, 'extra');
  }

  private lone({ relative, entry }: Placed, kind: 'missing' | 'extra'): void {
    if (entry.type === 'socket') this.counts.sockets++;
    else this.differ(relative, kind, `a ${entry.type} is only in the ${kind === 'missing' ? 'first' : 'second'} tree`);
  }

  private pair({ relative, entry: a }: Placed, { entry: b }: Placed): void {
    if (a.type === 'socket' && b.type === 'socket') return void this.counts.sockets++;
    this.counts[counterOf(a.type)]++;
    if (a.type !== b.type) return this.differ(relative, 'type', `${a.type} and ${b.type}`);
    if (relative.length > 0 || this.options.top !== false) this.compareFacts(relative, a, b);
    if (a.type === 'file') this.compareFiles(relative, a, b);
  }

  result(): TreeComparison {
    const { differences: differenceCount, files, directories, others, sockets, bytes } = this.counts;
    const notes = [...this.notes].sort();
    return { identical: differenceCount === 0, differences: this.differences, differenceCount, files, directories, others, sockets, bytes, notes };
  }

  private compareFacts(path: Buffer, a: SourceEntry, b: SourceEntry): void {
    if (a.type !== 'symlink' && a.mode !== b.mode) this.differ(path, 'mode', `${a.mode.toString(8)} and ${b.mode.toString(8)}`);
    if (this.owners && (a.uid !== b.uid || a.gid !== b.gid)) this.differ(path, 'owner', `${a.uid}:${a.gid} and ${b.uid}:${b.gid}`);
    if (!sameTime(a.mtimeNs, b.mtimeNs, this.tolerance)) this.differ(path, 'mtime', `${a.mtimeNs} and ${b.mtimeNs} ns`);
    if (!sameBytes(a.linkTarget, b.linkTarget)) this.differ(path, 'link-target', 'the links point to different places');
    if (a.rdev !== b.rdev) this.differ(path, 'device', `${String(a.rdev)} and ${String(b.rdev)}`);
    const [xattrsA, xattrsB] = [this.comparable(a), this.comparable(b)];
    if (!sameXattrs(xattrsA, xattrsB)) this.differ(path, 'xattrs', `${namesOf(xattrsA)} and ${namesOf(xattrsB)}`);
  }

  private comparable({ xattrs = [] }: SourceEntry): readonly ExtendedAttribute[] {
    return this.owners ? xattrs : xattrs.filter((one) => !isPrivileged(one));
  }

  private compareFiles(path: Buffer, a: SourceEntry, b: SourceEntry): void {
    this.compareLinks(path, a, b);
    if (a.size !== b.size) return this.differ(path, 'size', `${a.size} and ${b.size}`);
    try {
      const at = this.firstDifference(a.contentPath as Buffer, b.contentPath as Buffer);
      if (at !== undefined) this.differ(path, 'content', `first difference at byte ${at}`);
    } catch (error) {
      this.differ(path, 'unreadable', messageOf(error));
    }
  }

  /** The same names must be one file on both sides: each inode has one twin. */
  private compareLinks(path: Buffer, a: SourceEntry, b: SourceEntry): void {
    if (a.links < 2 && b.links < 2) return;
    const [inA, inB] = [`${a.device}:${a.inode}`, `${b.device}:${b.inode}`];
    const { a: ofA, b: ofB } = this.twins;
    if ((ofA.get(inA) ?? inB) !== inB || (ofB.get(inB) ?? inA) !== inA) this.differ(path, 'hard-links', 'it is one file with others in one tree only');
    ofA.set(inA, inB);
    ofB.set(inB, inA);
  }

  private firstDifference(a: Buffer, b: Buffer): number | undefined {
    const fds: number[] = [];
    try {
      for (const path of [a, b]) fds.push(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
      for (let position = 0; ;) {
        const [left, right] = this.blocks.map((block, i) => block.subarray(0, fill(fds[i] as number, block, position))) as [Buffer, Buffer];
        if (!left.equals(right)) return position + mismatch(left, right);
        this.counts.bytes += left.length;
        position += left.length;
        if (left.length < blockSize) return undefined;
      }
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  }
}

/** Reads until the block is full or the file ends. */
const fill = (fd: number, block: Buffer, position: number): number => {
  let length = 0;
  while (length < block.length) {
    const read = readSync(fd, block, length, block.length - length, position + length);
    if (read === 0) break;
    length += read;
  }
  return length;
};

const mismatch = (a: Buffer, b: Buffer): number => {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return i;
  return end;
};

const counterOf = (type: EntryType): 'files' | 'directories' | 'others' => {
  if (type === 'file') return 'files';
  return type === 'directory' ? 'directories' : 'others';
};

const sameBytes = (a: Buffer | undefined, b: Buffer | undefined): boolean => (a && b ? a.equals(b) : a === b);

const sameXattrs = (a: readonly ExtendedAttribute[], b: readonly ExtendedAttribute[]): boolean =>
  a.length === b.length && a.every((one, i) => sameBytes(one.name, b[i]?.name) && sameBytes(one.value, b[i]?.value));

const namesOf = (xattrs: readonly ExtendedAttribute[]): string => `[${xattrs.map((one) => one.name.toString()).join(', ')}]`;
