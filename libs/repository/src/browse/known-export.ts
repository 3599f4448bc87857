import { createHash } from 'node:crypto';
import { fault } from '#kernel';
import type { ObjectLister, ObjectReader } from '#storage';
import { addPacks, type DirectoryCache, PackCatalog, requireReachable } from '../catalog/pack-catalog.ts';
import { chunkIdBytes } from '../format/chunk-id.ts';
import { objectNames } from '../format/names.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { includesId, sortedShared } from '../state/sorted-ids.ts';
import { listPacks } from './browse-snapshot.ts';

const magic = Buffer.from('HF-KNOW\n', 'latin1');
const headerBytes = 16;

/** What the list is made of. Needs catalog keys. */
export interface KnownExportOptions {
  readonly store: ObjectReader & ObjectLister;
  readonly keys: KeyRing;
  readonly repositoryId: string;
  /** Ids that a prune has condemned (32 bytes each): left out. */
  readonly condemned?: Uint8Array;
  /** Names of the packs that admitted snapshots may rest on; absent: all that are there. */
  readonly livePacks?: ReadonlySet<string>;
  readonly cache?: DirectoryCache;
  readonly signal?: AbortSignal;
}

/** An object to be written under `name` and granted to an agent that lost its cache. */
export interface KnownExport {
  readonly name: string;
  readonly sha256: Buffer;
  readonly body: readonly Uint8Array[];
  readonly chunks: number;
}

/**
 * The ids of all chunks that are stored, ascending, each once: magic 8 "HF-KNOW\n", version 4, zeros 4, then 32 bytes each. Ids are
 * keyed hashes and tell nothing without the id key. Lies under `indexes/`, as everything that masters derive.
 */
export const exportKnownChunks = async (options: KnownExportOptions): Promise<KnownExport> => {
  const { store, keys, repositoryId, cache, livePacks } = options;
  const call = options.signal ? { signal: options.signal } : {};
  const catalog = new PackCatalog();
  const packs = (await listPacks(store, call)).filter((pack) => livePacks?.has(pack.name) ?? true);
  await addPacks(catalog, { reader: store, keys, repositoryId, ...(cache ? { cache } : {}), ...call }, packs);
  requireReachable(catalog);
  const { locations } = catalog;
  const all = Buffer.allocUnsafe(locations.size * chunkIdBytes);
  for (let copy = 0; copy < locations.size; copy++) locations.idOf(copy).copy(all, copy * chunkIdBytes);
  const sorted = Buffer.from(sortedShared(all).buffer);
  const condemned = sortedShared(options.condemned ?? new Uint8Array(0));
  let length = 0;
  for (let at = 0; at < sorted.length; at += chunkIdBytes) {
    const id = sorted.subarray(at, at + chunkIdBytes);
    const repeated = length > 0 && id.equals(sorted.subarray(length - chunkIdBytes, length));
    if (repeated || includesId(condemned, id)) continue;
    sorted.copyWithin(length, at, at + chunkIdBytes);
    length += chunkIdBytes;
  }
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32LE(1, magic.length);
  const body = [header, sorted.subarray(0, length)];
  const hash = createHash('sha256');
  for (const part of body) hash.update(part);
  const sha256 = hash.digest();
  return { name: objectNames.index(sha256), sha256, body, chunks: length / chunkIdBytes };
};

/** The ids in an exported list, as `BackupRepository.importedKnown` takes them. Throws `known-list-damaged`: then nothing is known. */
export async function* importKnownChunks(object: Uint8Array): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(object.buffer, object.byteOffset, object.length);
  const whole = bytes.length >= headerBytes && bytes.subarray(0, magic.length).equals(magic) && bytes.readUInt32LE(magic.length) === 1 &&
    (bytes.length - headerBytes) % chunkIdBytes === 0;
  if (!whole) throw fault('refused', 'known-list-damaged', 'The list of stored chunks is not one; everything is uploaded again');
  for (let at = headerBytes; at < bytes.length; at += chunkIdBytes) {
    const id = bytes.subarray(at, at + chunkIdBytes);
    if (at > headerBytes && bytes.compare(id, 0, chunkIdBytes, at - chunkIdBytes, at) >= 0) {
      throw fault('refused', 'known-list-damaged', 'The list of stored chunks is not in order; everything is uploaded again');
    }
    yield id;
  }
}
