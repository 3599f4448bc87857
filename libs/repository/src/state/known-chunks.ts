import { randomBytes } from 'node:crypto';
import { open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { chunkIdBytes } from '../format/chunk-id.ts';
import { objectNames } from '../format/names.ts';
import { decodeKnownHeader, encodeKnownHeader, HashedFile, knownFile, type KnownHeader, knownFileSize, readVerified, recordsStart } from './known-file.ts';
import type { KnownTable } from './known-lookup.ts';
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

const fileOf = (stateDir: string): string => join(stateDir, 'known');

/** A set that knows nothing yet, with an epoch of its own. */
export const noKnownChunks = (generation: number, condemned: Uint8Array): KnownChunks => ({
  table: { start: 0, high: new Uint32Array(0), low: new Uint32Array(0), condemned },
  epoch: randomBytes(16).toString('hex'), generation, packs: [],
});

const readHeader = async (path: string): Promise<KnownHeader | undefined> => {
  const size = await stat(path).then((found) => found.size, () => undefined);
  if (size === undefined) return undefined;
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(knownFile.headerBytes);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const header = decodeKnownHeader(bytes.subarray(0, bytesRead));
    return header && knownFileSize(header) === size ? header : undefined;
  } finally {
    await file.close();
  }
};

/** Collects what spans blocks: pack hashes and fingerprints. */
const collector = (header: KnownHeader) => {
  const start = recordsStart(header);
  const high = new Uint32Array(new SharedArrayBuffer(header.records * 4));
  const low = new Uint32Array(new SharedArrayBuffer(header.records * 4));
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
  const header = await readHeader(path);
  if (!header || header.generation !== generation) return undefined;
  const { onBlock, high, low, packs } = collector(header);
  if (!(await readVerified(path, knownFileSize(header), onBlock))) return undefined;
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

interface Merge {
  readonly records: AsyncIterable<Buffer>;
  readonly kept: (packIndex: number) => boolean;
  readonly change: KnownChange;
  readonly shift: number;
}

async function* oldRecords(known: KnownChunks): AsyncGenerator<Buffer> {
  if (!known.table.path) return;
  const file = await open(known.table.path, 'r');
  try {
    const count = known.table.high.length;
    for (let done = 0; done < count; done += knownFile.blockRecords) {
      const records = Math.min(knownFile.blockRecords, count - done);
      const block = Buffer.allocUnsafe(records * knownFile.recordBytes);
      await file.read(block, 0, block.length, known.table.start + done * knownFile.recordBytes);
      for (let i = 0; i < records; i++) yield block.subarray(i * knownFile.recordBytes, (i + 1) * knownFile.recordBytes);
    }
  } finally {
    await file.close();
  }
}

/** Old and new records in order, each id once: an old copy goes before a new one. */
async function* mergedRecords(merge: Merge): AsyncGenerator<Buffer> {
  const { added } = merge.change;
  const order = sortedOrder(added.ids);
  const fresh = (index: number): Buffer => {
    const from = order[index] as number;
    const record = Buffer.allocUnsafe(knownFile.recordBytes);
    record.set(added.ids.subarray(from * chunkIdBytes, (from + 1) * chunkIdBytes));
    record.writeUInt32LE((added.packs[from] as number) + merge.shift, chunkIdBytes);
    return record;
  };
  let next = 0;
  let last: Buffer | undefined;
  const isNew = (record: Buffer): boolean => !last || last.compare(record, 0, chunkIdBytes, 0, chunkIdBytes) !== 0;
  for await (const record of merge.records) {
    if (!merge.kept(record.readUInt32LE(chunkIdBytes))) continue;
    for (; next < order.length; next++) {
      const candidate = fresh(next);
      if (candidate.compare(record, 0, chunkIdBytes, 0, chunkIdBytes) >= 0) break;
      if (isNew(candidate)) yield (last = candidate);
    }
    if (isNew(record)) yield (last = Buffer.from(record));
  }
  for (; next < order.length; next++) {
    const candidate = fresh(next);
    if (isNew(candidate)) yield (last = candidate);
  }
}

/**
 * Writes the known chunks anew, with ids added or the ids of lost packs taken away, in one atomic step. The epoch changes when
 * something was taken away.
 */
export const writeKnownChunks = async (stateDir: string, known: KnownChunks, change: KnownChange): Promise<KnownChunks> => {
  const gone = known.packs.map((pack) => change.forget?.(pack) ?? false);
  const packs = [...known.packs, ...change.packNames.map(packHashOf)];
  const merge = { records: oldRecords(known), kept: (index: number) => !gone[index], change, shift: known.packs.length };
  const parts: Buffer[] = [];
  for await (const record of mergedRecords(merge)) parts.push(record);
  const epoch = gone.includes(true) ? randomBytes(16).toString('hex') : known.epoch;
  const temporary = join(stateDir, `.known.${randomBytes(6).toString('hex')}`);
  const file = new HashedFile(await open(temporary, 'wx', 0o600));
  await file.write(encodeKnownHeader({ generation: known.generation, epoch, packs: packs.length, records: parts.length }));
  await file.write(Buffer.from(packs.join(''), 'hex'));
  for (let at = 0; at < parts.length; at += knownFile.blockRecords) await file.write(Buffer.concat(parts.slice(at, at + knownFile.blockRecords)));
  await file.end();
  await rename(temporary, fileOf(stateDir));
  const written = await loadKnownChunks(stateDir, known.generation, known.table.condemned);
  return written ?? noKnownChunks(known.generation, known.table.condemned);
};

/** The object name of a known pack. */
export const knownPackName = (sha256: string): string => objectNames.pack(Buffer.from(sha256, 'hex'));
