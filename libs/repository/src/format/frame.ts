import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { damaged } from './damage.ts';
import type { Key } from './keys.ts';
import { type Codec, codec, type FrameClass, limits } from './limits.ts';
import { release } from './release.ts';

/** Bytes that sealing adds: nonce 12 and tag 16. */
export const sealOverhead = 28;

const nonceBytes = 12;
const tagBytes = 16;
const magic = Buffer.from('HFv1', 'latin1');

/** A compression level that costs 0.5 GB/s and a core and comes within some percent of restic's default. */
export const compressionLevel = 1;
/** Shorter plaintexts are not worth the attempt. */
export const smallestCompressed = 32;

/** Seals and opens the frames of one repository under one key. */
export interface FrameCipher {
  readonly keyId: string;
  /** nonce 12 | ciphertext | tag 16. `extra` is authenticated behind the frame's own facts. */
  seal(frame: FrameClass, packed: Codec, plain: Uint8Array, extra?: Uint8Array): Buffer;
  /** The same for a plaintext in parts, written to `target` from `at` on. Returns the place behind it. */
  sealInto(target: Buffer, at: number, facts: { readonly class: FrameClass; readonly codec: Codec; readonly extra?: Uint8Array }, plain: readonly Uint8Array[]): number;
  /** The compressed or raw bytes. Throws `frame-damaged` for anything that was not sealed exactly so. */
  open(frame: FrameClass, packed: Codec, sealed: Uint8Array, extra?: Uint8Array): Buffer;
}

const none = new Uint8Array(0);
/** Node makes a new buffer of each piece of ciphertext: small ones come from memory that is in the process already. */
const cipherBytes = 64 * 1024;

/** AES-256-GCM; AAD = "HFv1" | repository id 16 | key id 16 | class 1 | codec 1 | extra. */
export const frameCipher = (repositoryId: string, key: Key): FrameCipher => {
  const prefix = Buffer.concat([magic, Buffer.from(repositoryId, 'hex'), Buffer.from(key.id, 'hex')]);
  const aad = (frame: FrameClass, packed: Codec, extra: Uint8Array): Buffer => Buffer.concat([prefix, Buffer.from([frame, packed]), extra]);
  const sealInto: FrameCipher['sealInto'] = (target, at, facts, plain) => {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce);
    cipher.setAAD(aad(facts.class, facts.codec, facts.extra ?? none));
    target.set(nonce, at);
    let end = at + nonceBytes;
    for (const part of plain) {
      for (let from = 0; from < part.length; from += cipherBytes) {
        const sealed = cipher.update(part.subarray(from, from + cipherBytes));
        target.set(sealed, end);
        end += sealed.length;
        release(sealed);
      }
    }
    cipher.final();
    target.set(cipher.getAuthTag(), end);
    return end + tagBytes;
  };
  return {
    keyId: key.id,
    sealInto,
    seal: (frame, packed, plain, extra = none) => {
      const sealed = Buffer.allocUnsafeSlow(plain.length + sealOverhead);
      sealInto(sealed, 0, { class: frame, codec: packed, extra }, [plain]);
      return sealed;
    },
    open: (frame, packed, sealed, extra = none) => {
      if (sealed.length < sealOverhead) throw damaged('frame-damaged', 'A frame is shorter than its nonce and tag');
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(aad(frame, packed, extra));
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
      const body = decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes));
      try {
        decipher.final();
      } catch {
        throw damaged('frame-damaged', `A frame does not open with the key ${key.id}: it was altered or moved`);
      }
      return body;
    },
  };
};

/** Plaintext as it is put into a frame: zstd when that makes it smaller, else raw. */
export const pack = (plain: Uint8Array): { readonly codec: Codec; readonly bytes: Uint8Array } => {
  if (plain.length < smallestCompressed) return { codec: codec.raw, bytes: plain };
  const bytes = zstdCompressSync(plain, {
    chunkSize: plain.length + (plain.length >>> 7) + 1024,
    pledgedSrcSize: plain.length,
    params: { [constants.ZSTD_c_compressionLevel]: compressionLevel },
  });
  return bytes.length < plain.length ? { codec: codec.zstd, bytes } : { codec: codec.raw, bytes: plain };
};

const wrongLength = (): Error => damaged('frame-damaged', 'A frame does not decode to its declared length');

/** Undoes `pack`; never makes more than `plainLength` bytes, and throws `frame-damaged` unless it makes exactly as many. */
export const unpack = (packed: Codec, bytes: Uint8Array, plainLength: number): Uint8Array => {
  if (plainLength > limits.plainBytes) throw damaged('frame-damaged', `A frame declares ${plainLength} bytes, more than the format allows`);
  if (packed === codec.raw) {
    if (bytes.length !== plainLength) throw wrongLength();
    return bytes;
  }
  if (plainLength === 0) throw wrongLength();
  let plain: Buffer;
  try {
    plain = zstdDecompressSync(bytes, {
      // More than is needed: a buffer that is filled makes zlib get another one.
      chunkSize: plainLength + 64, maxOutputLength: plainLength, params: { [constants.ZSTD_d_windowLogMax]: 24 },
    });
  } catch {
    throw wrongLength();
  }
  if (plain.length !== plainLength) throw wrongLength();
  return plain;
};

/** Compresses and seals. */
export const encodeFrame = (cipher: FrameCipher, frame: FrameClass, plain: Uint8Array): { readonly codec: Codec; readonly sealed: Buffer } => {
  const packed = pack(plain);
  return { codec: packed.codec, sealed: cipher.seal(frame, packed.codec, packed.bytes) };
};

/** What a directory says about a frame that is to be decoded. */
export interface FrameFacts {
  readonly class: FrameClass;
  readonly codec: Codec;
  readonly plainLength: number;
}

/** Opens and decompresses, bounded by the declared length. Chunk ids are checked by the caller. */
export const decodeFrame = (cipher: FrameCipher, facts: FrameFacts, sealed: Uint8Array): Uint8Array => {
  const packed = cipher.open(facts.class, facts.codec, sealed);
  const plain = unpack(facts.codec, packed, facts.plainLength);
  if (plain !== packed) release(packed);
  return plain;
};
