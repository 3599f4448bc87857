import { createHash } from 'node:crypto';
import type { CallOptions, ObjectReader } from '#storage';
import { damaged } from '../format/damage.ts';
import { frameCipher } from '../format/frame.ts';
import { deriveSubkeys, type Subkeys } from '../format/keys.ts';
import { frameClass } from '../format/limits.ts';
import { hashOfName } from '../format/names.ts';
import { type DataSection, decodeCatalogSection, decodeDataSection, type ManifestPart, type SectionBody } from '../format/sections.ts';
import { checkSnapshotMac, openCatalogSection, openDataSection, parseSnapshot, type SealedSnapshot, type SnapshotHeader } from '../format/snapshot.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { ChunkReader } from './chunk-reader.ts';

/** The bytes of an object whose name ends in its hash. Throws `object-damaged` when they are others. */
export const getChecked = async (reader: ObjectReader, name: string, options: CallOptions = {}): Promise<Buffer> => {
  const bytes = await reader.get(name, undefined, options);
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
export const readSnapshot = async (reader: ObjectReader, keys: KeyRing, name: string, options: CallOptions = {}): Promise<OpenedSnapshot> => {
  const sealed = parseSnapshot(await getChecked(reader, name, options));
  return openSnapshot(sealed, keys);
};

const sectionPlain = async (body: SectionBody, chunkClass: typeof frameClass.data | typeof frameClass.catalog, chunks: ChunkReader): Promise<Buffer> => {
  if (body.form === 'inline') return Buffer.from(body.plain);
  const pieces: Uint8Array[] = [];
  for (const reference of body.references) pieces.push(await chunks.read(chunkClass, reference.id));
  return Buffer.concat(pieces);
};

/** The parts of a snapshot's manifest. */
export const readParts = async (snapshot: OpenedSnapshot, chunks: ChunkReader): Promise<ManifestPart[]> =>
  decodeCatalogSection(await sectionPlain(snapshot.catalog, frameClass.catalog, chunks));

/** The data section of a snapshot. */
export const readDataSection = async (snapshot: OpenedSnapshot, chunks: ChunkReader): Promise<DataSection> =>
  decodeDataSection(await sectionPlain(snapshot.data, frameClass.data, chunks));
