import { createHash } from 'node:crypto';
import type { ObjectReader } from '#storage';
import { damaged } from '../format/damage.ts';
import { frameCipher } from '../format/frame.ts';
import { deriveSubkeys, type Subkeys } from '../format/keys.ts';
import { type ChunkClass, frameClass, limits } from '../format/limits.ts';
import { hashOfName } from '../format/names.ts';
import { readObject } from '../format/read-object.ts';
import { type DataSection, decodeCatalogSection, decodeDataSection, type ManifestPart, type SectionBody } from '../format/sections.ts';
import { checkSnapshotMac, openCatalogSection, openDataSection, parseSnapshot, type SealedSnapshot, type SnapshotHeader } from '../format/snapshot.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { ChunkReader } from './chunk-reader.ts';

/** An object whose name ends in its hash, whole. Throws `object-damaged` when its bytes are others, and the target's errors. */
export const readWhole = async (reader: ObjectReader, name: string, signal?: AbortSignal): Promise<Buffer> => {
  const bytes = await readObject(reader, name, signal);
  if (!createHash('sha256').update(bytes).digest().equals(hashOfName(name))) {
    throw damaged('object-damaged', `${name} does not hold the bytes that its name promises`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
};

/** A snapshot whose MAC is right, with what its sections say. */
export interface OpenedSnapshot {
  readonly header: SnapshotHeader;
  readonly subkeys: Subkeys;
  readonly catalog: SectionBody;
  readonly data: SectionBody;
}

/** Opens and proves a snapshot object. Needs the id key, the data key and the catalog key. */
export const openSnapshot = async (sealed: SealedSnapshot, keys: KeyRing): Promise<OpenedSnapshot> => {
  const { header } = sealed;
  const [idKey, dataKey, catalogKey] = await Promise.all([
    keys.get('id', header.idKey), keys.get('data', header.dataKey), keys.get('catalog', header.catalogKey),
  ]);
  const subkeys = deriveSubkeys(idKey.bytes);
  checkSnapshotMac(sealed, subkeys.snapshot);
  return {
    header, subkeys,
    catalog: openCatalogSection(sealed, frameCipher(header.repository, catalogKey)),
    data: openDataSection(sealed, frameCipher(header.repository, dataKey)),
  };
};

/** Fetches and opens a snapshot object by its full name. */
export const readSnapshot = async (reader: ObjectReader, keys: KeyRing, name: string, signal?: AbortSignal): Promise<OpenedSnapshot> => {
  const sealed = parseSnapshot(await readWhole(reader, name, signal));
  return openSnapshot(sealed, keys);
};

/** A section put together from its pieces; their lengths are checked and bounded before they are read. */
export const sectionPlain = async (body: SectionBody, chunkClass: ChunkClass, chunks: ChunkReader): Promise<Buffer> => {
  if (body.form === 'inline') return Buffer.from(body.plain);
  const total = body.references.reduce((sum, { length }) => sum + length, 0);
  if (total > limits.sectionTotalBytes) throw damaged('snapshot-damaged', `A snapshot is damaged: a section of ${total} bytes`);
  const pieces: Uint8Array[] = [];
  for (const { id, length } of body.references) {
    const piece = await chunks.read(chunkClass, id);
    if (piece.length !== length) throw damaged('snapshot-damaged', 'A snapshot is damaged: a piece of a section has another length than it says');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
};

/** The parts of a snapshot's manifest, and its data section, whose sparse index has one path for each part. */
export const readSections = async (snapshot: OpenedSnapshot, chunks: ChunkReader): Promise<{ readonly parts: readonly ManifestPart[]; readonly data: DataSection }> => {
  const parts = decodeCatalogSection(await sectionPlain(snapshot.catalog, frameClass.catalog, chunks));
  const data = decodeDataSection(await sectionPlain(snapshot.data, frameClass.data, chunks));
  if (parts.length !== data.index.length) throw damaged('snapshot-damaged', 'A snapshot is damaged: its sparse index has another length than its manifest');
  return { parts, data };
};
