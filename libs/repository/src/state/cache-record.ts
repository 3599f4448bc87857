import { constants } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { EntryType, QuickFacts, SourceEntry } from '#sources';

/**
 * What the manifest cache keeps of an entry: path length 4 | head length 4 | mode 4 | uid 4 | gid 4 | flags 4 | size 8 | mtime 8 | ctime 8 |
 * inode 8 | device 8 | links 4 | owner tag 4, then path, head (see `manifestLineHead`), reference records. The numbers of 8 bytes are
 * doubles as `lstat` gives them, times in milliseconds: that is fast to compare, and exact enough, as no file changes twice within 250 ns.
 */
const headerBytes = 72;
const recallable = 1;
const second = 1_000_000_000n;

const typeBits: Readonly<Partial<Record<EntryType, number>>> = {
  file: constants.S_IFREG, directory: constants.S_IFDIR, symlink: constants.S_IFLNK, fifo: constants.S_IFIFO, socket: constants.S_IFSOCK,
  block: constants.S_IFBLK, char: constants.S_IFCHR,
};

const types: ReadonlyMap<number, EntryType> = new Map(Object.entries(typeBits).map(([type, bits]) => [bits, type as EntryType]));

/** Milliseconds as `lstat` makes them of seconds and nanoseconds. */
const milliseconds = (ns: bigint): number => Number(ns / second) * 1000 + Number(ns % second) / 1e6;

/** Stands for the names of an owner. */
export const ownerTag = (user: string | undefined, group: string | undefined): number => crc32(`${user ?? ''}\0${group ?? ''}`);

/** Names of one file are told apart by what else is walked, attributes may be out of sight, and some numbers are no doubles. */
const isRecallable = (entry: SourceEntry): boolean =>
  typeBits[entry.type] !== undefined && !entry.xattrs?.length && !(entry.type === 'file' && entry.links > 1) &&
  entry.mtimeNs >= 0n && entry.ctimeNs >= 0n && entry.inode <= BigInt(Number.MAX_SAFE_INTEGER) && entry.links <= 0xffff_ffff;

/** What stands before path, head and references in a record. */
export const cacheRecordHeader = (entry: SourceEntry, head: Uint8Array): Buffer => {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(entry.path.length, 0);
  header.writeUInt32LE(head.length, 4);
  if (!isRecallable(entry)) return header;
  header.writeUInt32LE((entry.mode | (typeBits[entry.type] ?? 0)) >>> 0, 8);
  header.writeUInt32LE(entry.uid, 12);
  header.writeUInt32LE(entry.gid, 16);
  header.writeUInt32LE(recallable, 20);
  [entry.size, milliseconds(entry.mtimeNs), milliseconds(entry.ctimeNs), Number(entry.inode), Number(entry.device)]
    .forEach((value, index) => header.writeDoubleLE(value, 24 + 8 * index));
  header.writeUInt32LE(entry.links, 64);
  header.writeUInt32LE(ownerTag(entry.user, entry.group), 68);
  return header;
};

/** One record, a view of the block it was read in. */
export class CacheRecord {
  private readonly block: Buffer;
  private readonly start: number;
  private readonly end: number;
  private readonly headAt: number;
  private readonly referencesAt: number;
  /** Place in the file, from 0. */
  readonly ordinal: number;

  constructor(block: Buffer, start: number, end: number, ordinal: number) {
    this.block = block;
    this.start = start;
    this.end = end;
    this.ordinal = ordinal;
    this.headAt = start + headerBytes + (end - start < headerBytes ? 0 : block.readUInt32LE(start));
    this.referencesAt = this.headAt + (end - start < headerBytes ? 0 : block.readUInt32LE(start + 4));
  }

  /** False when its lengths do not fit. */
  get whole(): boolean {
    return this.referencesAt <= this.end;
  }

  get path(): Buffer {
    return this.block.subarray(this.start + headerBytes, this.headAt);
  }

  get head(): Buffer {
    return this.block.subarray(this.headAt, this.referencesAt);
  }

  get references(): Buffer {
    return this.block.subarray(this.referencesAt, this.end);
  }

  /** All of it, to be copied as it is. */
  get bytes(): Buffer {
    return this.block.subarray(this.start, this.end);
  }

  get headLength(): number {
    return this.referencesAt - this.headAt;
  }

  get referencesLength(): number {
    return this.end - this.referencesAt;
  }

  /** Undefined where `holds` is never true. */
  get type(): EntryType | undefined {
    return types.get(this.block.readUInt32LE(this.start + 8) & constants.S_IFMT);
  }

  isOf(path: Buffer): boolean {
    return this.block.compare(path, 0, path.length, this.start + headerBytes, this.headAt) === 0;
  }

  /** Whether nothing at all has changed since, by what `lstat` says now; false also where that cannot tell. */
  holds(facts: QuickFacts, tag: number): boolean {
    const { block, start } = this;
    return block.readUInt32LE(start + 20) === recallable && block.readDoubleLE(start + 40) === facts.ctimeMs &&
      block.readDoubleLE(start + 32) === facts.mtimeMs && block.readDoubleLE(start + 48) === facts.ino &&
      block.readUInt32LE(start + 8) === facts.mode && this.sizeHolds(facts) && this.placeHolds(facts, tag);
  }

  private sizeHolds({ mode, size }: QuickFacts): boolean {
    return (mode & constants.S_IFMT) !== constants.S_IFREG || this.block.readDoubleLE(this.start + 24) === size;
  }

  private placeHolds(facts: QuickFacts, tag: number): boolean {
    const { block, start } = this;
    return block.readDoubleLE(start + 56) === facts.dev && block.readUInt32LE(start + 64) === facts.nlink &&
      block.readUInt32LE(start + 12) === facts.uid && block.readUInt32LE(start + 16) === facts.gid && block.readUInt32LE(start + 68) === tag;
  }
}
