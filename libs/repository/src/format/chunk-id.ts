import { createHash, createHmac } from 'node:crypto';
import { damaged } from './damage.ts';
import { type ChunkClass, frameClass } from './limits.ts';

/** Bytes of a chunk id. */
export const chunkIdBytes = 32;

/** The id of a data chunk: HMAC-SHA-256 under the chunk id subkey. */
export const dataChunkId = (chunkIdKey: Uint8Array, plain: Uint8Array): Buffer => createHmac('sha256', chunkIdKey).update(plain).digest();

/** The id of a catalog chunk: the plain SHA-256, so that a master can check it. */
export const catalogChunkId = (plain: Uint8Array): Buffer => createHash('sha256').update(plain).digest();

/** Throws `chunk-mismatch` unless `plain` is the chunk of this id. `chunkIdKey` is needed for data chunks only. */
export const checkChunk = (chunkClass: ChunkClass, id: Uint8Array, plain: Uint8Array, chunkIdKey?: Uint8Array): void => {
  const actual = chunkClass === frameClass.catalog ? catalogChunkId(plain) : dataChunkId(chunkIdKey ?? missingKey(), plain);
  if (!actual.equals(id)) throw damaged('chunk-mismatch', `A copy of the chunk ${Buffer.from(id).toString('hex')} holds something else`);
};

const missingKey = (): never => {
  throw damaged('key-damaged', 'A data chunk cannot be checked without the id key');
};
