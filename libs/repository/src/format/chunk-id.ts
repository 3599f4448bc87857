import { hash } from 'node:crypto';
import { damaged } from './damage.ts';
import { type ChunkClass, frameClass } from './limits.ts';
import { macOf } from './mac.ts';

/** Bytes of a chunk id. */
export const chunkIdBytes = 32;

const macs = new WeakMap<Uint8Array, (message: Uint8Array) => Buffer>();

/** One for each key object: a thread has one key and asks for every chunk. */
const macUnder = (key: Uint8Array): ((message: Uint8Array) => Buffer) => {
  const known = macs.get(key);
  if (known) return known;
  const made = macOf(key);
  macs.set(key, made);
  return made;
};

/** The id of a data chunk: HMAC-SHA-256 under the chunk id subkey. */
export const dataChunkId = (chunkIdKey: Uint8Array, plain: Uint8Array): Buffer => macUnder(chunkIdKey)(plain);

/** The id of a catalog chunk: the plain SHA-256, so that a master can check it. */
export const catalogChunkId = (plain: Uint8Array): Buffer => hash('sha256', plain, 'buffer');

/** Throws `chunk-mismatch` unless `plain` is the chunk of this id. `chunkIdKey` is needed for data chunks only. */
export const checkChunk = (chunkClass: ChunkClass, id: Uint8Array, plain: Uint8Array, chunkIdKey?: Uint8Array): void => {
  const actual = chunkClass === frameClass.catalog ? catalogChunkId(plain) : dataChunkId(chunkIdKey ?? missingKey(), plain);
  if (!actual.equals(id)) throw damaged('chunk-mismatch', `A copy of the chunk ${Buffer.from(id).toString('hex')} holds something else`);
};

const missingKey = (): never => {
  throw damaged('key-damaged', 'A data chunk cannot be checked without the id key');
};
