import { ByteCursor } from './byte-cursor.ts';
import { chunkIdBytes } from './chunk-id.ts';
import { damaged } from './damage.ts';
import { type FrameCipher, sealOverhead } from './frame.ts';
import { type ChunkClass, type Codec, codec, frameClass, formatVersion, limits } from './limits.ts';

/** Bytes of the trailer at the end of every pack. */
export const trailerBytes = 64;

const magic = Buffer.from('HF-PACK\n', 'latin1');
const frameRecordBytes = 8 + 4 + 1 + 1 + 16 + 4 + 4;
const chunkRecordBytes = chunkIdBytes + 4;

/** A chunk inside a frame's plaintext, one after the other in this order. */
export interface PackedChunk {
  /** 32 bytes. */
  readonly id: Buffer;
  readonly length: number;
}

/** A frame as a pack's directory describes it. */
export interface PackedFrame {
  /** Of the sealed frame in the pack. */
  readonly offset: number;
  /** Of the sealed frame. */
  readonly length: number;
  readonly class: ChunkClass;
  readonly codec: Codec;
  /** 32 hex digits: the key it was sealed with; after a sweep not always the pack's own. */
  readonly keyId: string;
  readonly plainLength: number;
  readonly chunks: readonly PackedChunk[];
}

/** What the last 64 bytes of a pack say. */
export interface PackTrailer {
  /** Sealed length of the directory that lies right before the trailer. */
  readonly directoryLength: number;
  /** 32 hex digits: the catalog key that the directory is sealed with. */
  readonly catalogKeyId: string;
}

const broken = (what: string): Error => damaged('pack-damaged', `A pack is damaged: ${what}`);

/** Bytes a frame takes in the directory. */
export const directoryBytesOf = (chunks: number): number => frameRecordBytes + chunks * chunkRecordBytes;

const encodeFrameRecord = (frame: PackedFrame): Buffer => {
  const record = Buffer.alloc(directoryBytesOf(frame.chunks.length));
  record.writeBigUInt64LE(BigInt(frame.offset), 0);
  record.writeUInt32LE(frame.length, 8);
  record.writeUInt8(frame.class, 12);
  record.writeUInt8(frame.codec, 13);
  record.write(frame.keyId, 14, 'hex');
  record.writeUInt32LE(frame.plainLength, 30);
  record.writeUInt32LE(frame.chunks.length, 34);
  let at = frameRecordBytes;
  for (const chunk of frame.chunks) {
    record.set(chunk.id, at);
    record.writeUInt32LE(chunk.length, at + chunkIdBytes);
    at += chunkRecordBytes;
  }
  return record;
};

/** The directory's plaintext. */
export const encodeDirectory = (frames: readonly PackedFrame[]): Buffer => Buffer.concat(frames.map(encodeFrameRecord));

const decodeFrameRecord = (cursor: ByteCursor): PackedFrame => {
  const offset = cursor.u64();
  const length = cursor.u32();
  const classByte = cursor.u8();
  const codecByte = cursor.u8();
  const keyId = cursor.take(16).toString('hex');
  const plainLength = cursor.u32();
  const count = cursor.u32();
  if (classByte !== frameClass.data && classByte !== frameClass.catalog) throw broken('a frame of an unknown class');
  if (codecByte !== codec.raw && codecByte !== codec.zstd) throw broken('a frame of an unknown codec');
  if (length < sealOverhead || length > limits.sealedBytes || plainLength > limits.plainBytes) throw broken('a frame of an impossible length');
  if (count * chunkRecordBytes > cursor.remaining) throw broken('a frame with more chunks than the directory holds');
  const chunks: PackedChunk[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const chunk = { id: cursor.take(chunkIdBytes), length: cursor.u32() };
    total += chunk.length;
    chunks.push(chunk);
  }
  if (total !== plainLength) throw broken('a frame whose chunks do not add up to its length');
  return { offset, length, class: classByte, codec: codecByte, keyId, plainLength, chunks };
};

/**
 * The frames that a directory's plaintext describes. `framesEnd` is the offset at which the directory begins: frames must lie before
 * it, in order and without overlap. Throws `pack-damaged`. The ids are views of `plain`.
 */
export const decodeDirectory = (plain: Uint8Array, framesEnd: number): PackedFrame[] => {
  const cursor = new ByteCursor(plain, () => broken('its directory is cut short'));
  const frames: PackedFrame[] = [];
  let end = 0;
  while (cursor.remaining > 0) {
    const frame = decodeFrameRecord(cursor);
    if (frame.offset < end || frame.offset + frame.length > framesEnd) throw broken('a frame outside its place');
    end = frame.offset + frame.length;
    frames.push(frame);
  }
  return frames;
};

/** The 64 bytes: magic 8 "HF-PACK\n", version 4, directory length 4, catalog key id 16, zeros 32. */
export const encodeTrailer = (trailer: PackTrailer): Buffer => {
  const bytes = Buffer.alloc(trailerBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(formatVersion, 8);
  bytes.writeUInt32LE(trailer.directoryLength, 12);
  bytes.write(trailer.catalogKeyId, 16, 'hex');
  return bytes;
};

/** Throws `pack-damaged`; a version above 1 is refused by name. */
export const decodeTrailer = (bytes: Uint8Array): PackTrailer => {
  const cursor = new ByteCursor(bytes, () => broken('it has no trailer'));
  if (!cursor.take(8).equals(magic)) throw broken('it has no trailer');
  const version = cursor.u32();
  if (version !== formatVersion) throw broken(`it has version ${version}, which this program does not read; use a newer one`);
  const directoryLength = cursor.u32();
  const catalogKeyId = cursor.take(16).toString('hex');
  if (cursor.take(32).some((byte) => byte !== 0) || cursor.remaining !== 0) throw broken('its trailer holds what it should not');
  if (directoryLength < sealOverhead || directoryLength > limits.sealedBytes) throw broken('its directory has an impossible length');
  return { directoryLength, catalogKeyId };
};

/** The sealed directory and the trailer, ready to follow the frames. The trailer is authenticated with the directory. */
export const sealDirectory = (cipher: FrameCipher, frames: readonly PackedFrame[]): { directory: Buffer; trailer: Buffer } => {
  const plain = encodeDirectory(frames);
  const trailer = encodeTrailer({ directoryLength: plain.length + sealOverhead, catalogKeyId: cipher.keyId });
  return { directory: cipher.seal(frameClass.directory, codec.raw, plain, trailer), trailer };
};

/** Opens a directory. `packSize` is the size of the whole object. Throws `frame-damaged` or `pack-damaged`. */
export const openDirectory = (cipher: FrameCipher, directory: Uint8Array, trailer: Uint8Array, packSize: number): PackedFrame[] => {
  const plain = cipher.open(frameClass.directory, codec.raw, directory, trailer);
  return decodeDirectory(plain, packSize - trailerBytes - directory.length);
};
