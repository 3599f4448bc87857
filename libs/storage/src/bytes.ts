import { createHash, timingSafeEqual } from 'node:crypto';
import type { ByteRange } from './object-store.port.ts';
import { objectMismatch, objectTooLarge, objectTruncated } from './store-errors.ts';

/** Sum of the parts' lengths. */
export const lengthOf = (body: readonly Uint8Array[]): number => body.reduce((sum, part) => sum + part.length, 0);

/** SHA-256 of the parts in order. */
export const sha256Of = (body: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of body) hash.update(part);
  return hash.digest();
};

/** True when both have the same bytes; takes the same time wherever they differ. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

/** Throws `object-mismatch` unless the parts have this SHA-256. */
export const checkBody = (name: string, body: readonly Uint8Array[], sha256: Uint8Array): void => {
  if (!sameBytes(sha256Of(body), sha256)) throw objectMismatch(name);
};

/** Bytes as a view of the same memory. */
export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** The part of an object; throws `object-truncated` when the object ends before it does. */
export const sliceRange = (name: string, bytes: Uint8Array, range?: ByteRange): Uint8Array => {
  if (!range) return bytes;
  if (range.offset + range.length > bytes.length) throw objectTruncated(name);
  return bytes.subarray(range.offset, range.offset + range.length);
};

/** All bytes of a stream, at most `limit`; `object-too-large` beyond. */
export const collect = async (name: string, stream: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > limit) throw objectTooLarge(name, limit);
    parts.push(part);
  }
  const [only] = parts;
  return parts.length === 1 && only ? asBuffer(only) : Buffer.concat(parts, size);
};

/** The first bytes of a stream, at most `limit`; the rest is not read. */
export const collectHead = async (stream: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    parts.push(part.subarray(0, limit - size));
    size += part.length;
    if (size >= limit) break;
  }
  return Buffer.concat(parts);
};

/** The part of an object that comes as a stream from its first byte: what is before it is thrown away, what is behind it is not read. */
export const collectRange = async (name: string, stream: AsyncIterable<Uint8Array>, range: ByteRange): Promise<Buffer> => {
  const bytes = Buffer.allocUnsafeSlow(range.length);
  let [skip, filled] = [range.offset, 0];
  for await (const part of stream) {
    const wanted = asBuffer(part).subarray(skip);
    skip -= Math.min(skip, part.length);
    filled += wanted.copy(bytes, filled);
    if (filled === range.length) return bytes;
  }
  throw objectTruncated(name);
};
