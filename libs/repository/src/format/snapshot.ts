import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { fault } from '#kernel';
import { ByteCursor } from './byte-cursor.ts';
import { damaged } from './damage.ts';
import { type FrameCipher, pack, sealOverhead, unpack } from './frame.ts';
import { codec, type Codec, formatVersion, frameClass, knownFeatures, limits } from './limits.ts';
import { decodeSectionBody, encodeSectionBody, type SectionBody } from './sections.ts';

/** The plain header of a snapshot: ids and times, no names. */
export interface SnapshotHeader {
  readonly format: number;
  /** Features that a reader must understand. */
  readonly requires: readonly string[];
  /** 32 hex digits. */
  readonly repository: string;
  readonly snapshot: string;
  readonly task: string;
  readonly run?: string;
  readonly attempt?: number;
  /** RFC 3339: the master's time of the run. */
  readonly time: string;
  /** SHA-256 (hex) of the previous admitted snapshot object. */
  readonly previous?: string;
  /** Ids of the keys that open the MAC, the data section and the catalog section. */
  readonly idKey: string;
  readonly dataKey: string;
  readonly catalogKey: string;
}

/** The ciphers and the subkey that a snapshot is made or read with. */
export interface SnapshotCiphers {
  readonly catalog: FrameCipher;
  readonly data: FrameCipher;
  /** The "snapshot" subkey of the id key. */
  readonly macKey: Uint8Array;
}

const prefixBytes = 40;
const macBytes = 32;
const magic = Buffer.from('HF-SNAP\n', 'latin1');
const broken = (what: string): Error => damaged('snapshot-damaged', `A snapshot is damaged: ${what}`);

const orderedHeader = (header: SnapshotHeader): Buffer => Buffer.from(JSON.stringify({
  format: header.format, requires: header.requires, repository: header.repository, snapshot: header.snapshot, task: header.task,
  run: header.run, attempt: header.attempt, time: header.time, previous: header.previous,
  idKey: header.idKey, dataKey: header.dataKey, catalogKey: header.catalogKey,
}));

/** The whole object: prefix 40, header, catalog section, data section, MAC 32. */
export const encodeSnapshot = (header: SnapshotHeader, sections: { catalog: SectionBody; data: SectionBody }, ciphers: SnapshotCiphers): Buffer => {
  const json = orderedHeader(header);
  const catalogPlain = encodeSectionBody(sections.catalog);
  const dataPlain = encodeSectionBody(sections.data);
  const catalog = pack(catalogPlain);
  const data = pack(dataPlain);
  const prefix = Buffer.alloc(prefixBytes);
  magic.copy(prefix);
  [formatVersion, json.length, catalog.bytes.length + sealOverhead, catalogPlain.length, data.bytes.length + sealOverhead, dataPlain.length]
    .forEach((value, index) => prefix.writeUInt32LE(value, 8 + 4 * index));
  prefix.writeUInt8(catalog.codec, 32);
  prefix.writeUInt8(data.codec, 33);
  const headerHash = createHash('sha256').update(prefix).update(json).digest();
  const body = Buffer.concat([
    prefix, json,
    ciphers.catalog.seal(frameClass.catalogSection, catalog.codec, catalog.bytes, headerHash),
    ciphers.data.seal(frameClass.dataSection, data.codec, data.bytes, headerHash),
  ]);
  return Buffer.concat([body, createHmac('sha256', ciphers.macKey).update(body).digest()]);
};

interface SealedSection {
  readonly sealed: Buffer;
  readonly codec: Codec;
  readonly plainLength: number;
}

/** A snapshot object taken apart, its sections still sealed. Nothing is proven yet. */
export interface SealedSnapshot {
  readonly header: SnapshotHeader;
  readonly headerHash: Buffer;
  readonly catalog: SealedSection;
  readonly data: SealedSection;
  /** The bytes the MAC is over. */
  readonly body: Buffer;
  readonly mac: Buffer;
}

const codecOf = (byte: number): Codec => {
  if (byte !== codec.raw && byte !== codec.zstd) throw broken('a section of an unknown codec');
  return byte;
};

const isText = (value: unknown, pattern: RegExp): value is string => typeof value === 'string' && pattern.test(value);
const hex32 = /^[0-9a-f]{32}$/;
const shapes: Readonly<Record<string, (value: unknown) => boolean>> = {
  requires: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  repository: (value) => isText(value, hex32), snapshot: (value) => isText(value, /^[A-Za-z0-9_-]{1,64}$/),
  task: (value) => isText(value, /^[^\0]{1,256}$/), run: (value) => value === undefined || typeof value === 'string',
  attempt: (value) => value === undefined || Number.isSafeInteger(value), time: (value) => typeof value === 'string',
  previous: (value) => value === undefined || isText(value, /^[0-9a-f]{64}$/),
  idKey: (value) => isText(value, hex32), dataKey: (value) => isText(value, hex32), catalogKey: (value) => isText(value, hex32),
};

const parseHeader = (json: Buffer): SnapshotHeader => {
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch {
    throw broken('its header is no JSON');
  }
  if (typeof value !== 'object' || value === null) throw broken('its header is malformed');
  const header = value as SnapshotHeader & Readonly<Record<string, unknown>>;
  checkFormat(header.format, header.requires);
  const wrong = Object.keys(shapes).find((key) => !shapes[key]?.(header[key]));
  if (wrong) throw broken(`its header has a malformed ${wrong}`);
  return header;
};

/** Refuses by name what this program does not know how to read. */
export const checkFormat = (format: unknown, requires: unknown): void => {
  if (format !== formatVersion) {
    throw fault('refused', 'format-unknown', `This is format ${JSON.stringify(format)}, and this program reads format ${formatVersion}; use a newer one`);
  }
  const unknown = Array.isArray(requires) ? requires.find((feature) => !knownFeatures.includes(feature as string)) as unknown : undefined;
  if (unknown !== undefined) {
    throw fault('refused', 'feature-unknown', `The feature ${JSON.stringify(unknown)} is needed to read this; use a newer program`);
  }
};

/** Takes a snapshot object apart. Throws `snapshot-damaged`, `format-unknown` or `feature-unknown`. */
export const parseSnapshot = (object: Buffer): SealedSnapshot => {
  const cursor = new ByteCursor(object, () => broken('it is cut short'));
  if (!cursor.take(8).equals(magic)) throw broken('it does not begin like one');
  const version = cursor.u32();
  if (version !== formatVersion) checkFormat(version, []);
  const [headerLength, catalogLength, catalogPlain, dataLength, dataPlain] = [cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32()];
  const codecs = cursor.take(8);
  if (codecs.subarray(2).some((byte) => byte !== 0) || headerLength > limits.headerBytes) throw broken('its prefix is malformed');
  const json = cursor.take(headerLength);
  const catalog = { sealed: cursor.take(catalogLength), codec: codecOf(codecs.readUInt8(0)), plainLength: catalogPlain };
  const data = { sealed: cursor.take(dataLength), codec: codecOf(codecs.readUInt8(1)), plainLength: dataPlain };
  if (cursor.remaining !== macBytes) throw broken('it has another length than it says');
  const body = object.subarray(0, object.length - macBytes);
  const headerHash = createHash('sha256').update(object.subarray(0, prefixBytes + headerLength)).digest();
  return { header: parseHeader(json), headerHash, catalog, data, body, mac: cursor.take(macBytes) };
};

/** Throws `snapshot-damaged` unless a holder of the id key made this snapshot as it is: all of it. */
export const checkSnapshotMac = (snapshot: SealedSnapshot, macKey: Uint8Array): void => {
  const expected = createHmac('sha256', macKey).update(snapshot.body).digest();
  if (!timingSafeEqual(expected, snapshot.mac)) throw broken('its MAC is not that of its repository: it is forged or altered');
};

/** The catalog section. Needs the catalog key alone. Throws `frame-damaged` or `snapshot-damaged`. */
export const openCatalogSection = (snapshot: SealedSnapshot, cipher: FrameCipher): SectionBody => {
  const { catalog, headerHash } = snapshot;
  return decodeSectionBody(unpack(catalog.codec, cipher.open(frameClass.catalogSection, catalog.codec, catalog.sealed, headerHash), catalog.plainLength));
};

/** The data section. Needs the data key. Throws `frame-damaged` or `snapshot-damaged`. */
export const openDataSection = (snapshot: SealedSnapshot, cipher: FrameCipher): SectionBody => {
  const { data, headerHash } = snapshot;
  return decodeSectionBody(unpack(data.codec, cipher.open(frameClass.dataSection, data.codec, data.sealed, headerHash), data.plainLength));
};
