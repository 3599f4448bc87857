import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fault } from '#kernel';
import { chunkIdBytes } from '../format/chunk-id.ts';
import { decodeKnownHeader, encodeKnownHeader, HashedFile, knownFile, type KnownHeader, readVerified, recordsIn, recordsStart } from './known-file.ts';
import type { KnownTable } from './known-lookup.ts';
import { temporaryPath } from './temporary-file.ts';
import { type PackedIds, sortedOrder } from './sorted-ids.ts';

/** The chunks that a writer knows to be stored, as loaded from its state directory. */
export interface KnownChunks {
  readonly table: KnownTable;
  /** See `KnownHeader.epoch`. */
  readonly epoch: string;
  readonly generation: number;
  /** SHA-256 of the packs, 64 hex digits each, in the order of the records' indexes. */
  readonly packs: readonly string[];
}

/** Records read or written at a time. */
const blockRecords = 16_384;

const fileOf = (stateDir: string): string => join(stateDir, 'known');

/** Stands for the packs of chunks that are known without knowing where they lie. */
const unknownPack = '0'.repeat(64);

/** The packs that the known chunks lie in (64 hex digits each), as far as they are known. */
export const packsOf = (known: KnownChunks): readonly string[] => known.packs.filter((pack) => pack !== unknownPack);

/** Makes a list of stored ids (32 bytes each) the known chunks of a state directory. */
export const importKnownIds = async (stateDir: string, generation: number, list: AsyncIterable<Uint8Array>): Promise<void> => {
  let ids = Buffer.allocUnsafe(1024 * chunkIdBytes);
  let used = 0;
  for await (const id of list) {
    if (used === ids.length) ids = Buffer.concat([ids], ids.length * 2);
    ids.set(id, used);
    used += chunkIdBytes;
  }
  if (used === 0) return;
  const added = { ids: ids.subarray(0, used), packs: new Uint32Array(used / chunkIdBytes) };
  await writeKnownChunks(stateDir, noKnownChunks(generation, new Uint8Array(0)), { packNames: [unknownPack], added });
};

/** A set that knows nothing yet, with an epoch of its own. */
export const noKnownChunks = (generation: number, condemned: Uint8Array): KnownChunks => ({
  table: { start: 0, high: new Uint32Array(0), low: new Uint32Array(0), condemned },
  epoch: randomBytes(16).toString('hex'), generation, packs: [],
});

interface FoundFile {
  readonly header: KnownHeader;
  readonly size: number;
  readonly records: number;
}

const readHeader = async (path: string): Promise<FoundFile | undefined> => {
  const size = await stat(path).then((found) => found.size, () => undefined);
  if (size === undefined) return undefined;
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(knownFile.headerBytes);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const header = decodeKnownHeader(bytes.subarray(0, bytesRead));
    const records = header && recordsIn(header, size);
    return header && records !== undefined ? { header, size, records } : undefined;
  } finally {
    await file.close();
  }
};

/** Collects what spans blocks: pack hashes and fingerprints. */
const collector = ({ header, records }: FoundFile) => {
  const start = recordsStart(header);
  const high = new Uint32Array(new SharedArrayBuffer(records * 4));
  const low = new Uint32Array(new SharedArrayBuffer(records * 4));
  const packs: string[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let record = 0;
  let position = knownFile.headerBytes;
  const take = (bytes: Buffer): number => {
    if (position < start) {
      packs.push(bytes.toString('hex', 0, 32));
      return 32;
    }
    high[record] = bytes.readUInt32BE(0);
    low[record++] = bytes.readUInt32BE(4);
    return knownFile.recordBytes;
  };
  const onBlock = (block: Buffer, offset: number): void => {
    const body = offset === 0 ? block.subarray(knownFile.headerBytes) : block;
    const bytes = rest.length > 0 ? Buffer.concat([rest, body]) : body;
    let at = 0;
    while (bytes.length - at >= (position < start ? 32 : knownFile.recordBytes)) {
      const used = take(bytes.subarray(at));
      at += used;
      position += used;
    }
    rest = Buffer.from(bytes.subarray(at));
  };
  return { onBlock, high, low, packs };
};

/** The known chunks of a state directory; undefined when there is no file, it is damaged, or it is of another generation. */
export const loadKnownChunks = async (stateDir: string, generation: number, condemned: Uint8Array): Promise<KnownChunks | undefined> => {
  const path = fileOf(stateDir);
  const found = await readHeader(path);
  if (!found || found.header.generation !== generation) return undefined;
  const { header } = found;
  const { onBlock, high, low, packs } = collector(found);
  if (!(await readVerified(path, found.size, onBlock))) return undefined;
  return { table: { path, start: recordsStart(header), high, low, condemned }, epoch: header.epoch, generation, packs };
};

/** What to add to the known chunks, and which packs are gone. */
export interface KnownChange {
  /** Names of the packs that `added.packs` index. */
  readonly packNames: readonly string[];
  readonly added: PackedIds;
  /** True for a pack (64 hex digits) whose chunks are to be forgotten. */
  readonly forget?: (packSha256: string) => boolean;
}

const packHashOf = (name: string): string => name.slice(-64);

/** The new records in ascending order, their packs renumbered to follow the old ones. */
const sortedRecords = (added: PackedIds, shift: number): Buffer => {
  const order = sortedOrder(added.ids);
  const records = Buffer.allocUnsafe(order.length * knownFile.recordBytes);
  order.forEach((from, to) => {
    records.set(added.ids.subarray(from * chunkIdBytes, (from + 1) * chunkIdBytes), to * knownFile.recordBytes);
    records.writeUInt32LE((added.packs[from] as number) + shift, to * knownFile.recordBytes + chunkIdBytes);
  });
  return records;
};

const compareRecords = (a: Buffer, atA: number, b: Buffer, atB: number): number => a.compare(b, atB, atB + chunkIdBytes, atA, atA + chunkIdBytes);

/** Takes records in ascending order, each id once, and writes them block by block. */
class RecordSink {
  private readonly file: HashedFile;
  private block = Buffer.allocUnsafe(blockRecords * knownFile.recordBytes);
  private used = 0;
  private readonly last = Buffer.alloc(chunkIdBytes);
  private any = false;

  constructor(file: HashedFile) {
    this.file = file;
  }

  /** True when the block must be flushed before the next record. */
  take(records: Buffer, at: number): boolean {
    if (this.any && this.last.compare(records, at, at + chunkIdBytes) === 0) return false;
    records.copy(this.block, this.used, at, at + knownFile.recordBytes);
    records.copy(this.last, 0, at, at + chunkIdBytes);
    this.any = true;
    this.used += knownFile.recordBytes;
    return this.used === this.block.length;
  }

  async flush(): Promise<void> {
    if (this.used > 0) await this.file.write(this.block.subarray(0, this.used));
    this.used = 0;
  }
}

async function* oldBlocks(known: KnownChunks): AsyncGenerator<Buffer> {
  if (!known.table.path) return;
  const file = await open(known.table.path, 'r');
  try {
    const count = known.table.high.length;
    for (let done = 0; done < count; done += blockRecords) {
      const block = Buffer.allocUnsafe(Math.min(blockRecords, count - done) * knownFile.recordBytes);
      const { bytesRead } = await file.read(block, 0, block.length, known.table.start + done * knownFile.recordBytes);
      if (bytesRead < block.length) throw fault('internal', 'state-damaged', 'The list of stored chunks became shorter while it was read; run the backup again');
      yield block;
    }
  } finally {
    await file.close();
  }
}

/** The numbers that packs have when some of them are gone; undefined for those. */
const renumber = (packs: readonly string[], forget: KnownChange['forget']): readonly (number | undefined)[] => {
  let kept = 0;
  return packs.map((pack) => (forget?.(pack) ? undefined : kept++));
};

const merge = async (sink: RecordSink, known: KnownChunks, fresh: Buffer, numbers: readonly (number | undefined)[]): Promise<void> => {
  let next = 0;
  for await (const block of oldBlocks(known)) {
    for (let at = 0; at < block.length; at += knownFile.recordBytes) {
      const number = numbers[block.readUInt32LE(at + chunkIdBytes)];
      if (number === undefined) continue;
      block.writeUInt32LE(number, at + chunkIdBytes);
      for (; next < fresh.length && compareRecords(fresh, next, block, at) < 0; next += knownFile.recordBytes) {
        if (sink.take(fresh, next)) await sink.flush();
      }
      if (sink.take(block, at)) await sink.flush();
    }
  }
  for (; next < fresh.length; next += knownFile.recordBytes) if (sink.take(fresh, next)) await sink.flush();
  await sink.flush();
};

/**
 * Writes the known chunks anew, with ids added or the ids of lost packs taken away, in one atomic step. The epoch changes when
 * something was taken away.
 */
export const writeKnownChunks = async (stateDir: string, known: KnownChunks, change: KnownChange): Promise<void> => {
  const numbers = renumber(known.packs, change.forget);
  const kept = known.packs.filter((_, index) => numbers[index] !== undefined);
  const packs = [...kept, ...change.packNames.map(packHashOf)];
  const epoch = kept.length < known.packs.length ? randomBytes(16).toString('hex') : known.epoch;
  const temporary = temporaryPath(stateDir, 'known');
  const handle = await open(temporary, 'wx', 0o600);
  try {
    const file = new HashedFile(handle);
    await file.write(encodeKnownHeader({ generation: known.generation, epoch, packs: packs.length }));
    await file.write(Buffer.from(packs.join(''), 'hex'));
    await merge(new RecordSink(file), known, sortedRecords(change.added, kept.length), numbers);
    await file.end();
    await rename(temporary, fileOf(stateDir));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
};
