import type { CallOptions, ObjectReader } from '#storage';
import type { KeyRing } from '../keys/key-ring.ts';
import { damaged } from './damage.ts';
import { frameCipher } from './frame.ts';
import { limits } from './limits.ts';
import { decodeTrailer, openDirectory, type PackedFrame, trailerBytes } from './pack.ts';

/** A pack's directory as read from the target. */
export interface PackDirectory {
  readonly name: string;
  /** Of the whole object. */
  readonly size: number;
  readonly catalogKeyId: string;
  readonly frames: readonly PackedFrame[];
}

/** Most directories are read with one request of this size. */
const firstRead = 64 * 1024;

/**
 * Reads the directory of one pack with one or two range reads. Needs the catalog key. Throws `pack-damaged`, `frame-damaged`,
 * `object-not-found`, `key-not-available`, and the target's errors as they are.
 */
export const readPackDirectory = async (
  reader: ObjectReader, keys: KeyRing, repositoryId: string, pack: { readonly name: string; readonly size: number; readonly signal?: AbortSignal },
): Promise<PackDirectory> => {
  const { name, size } = pack;
  const options: CallOptions = pack.signal ? { signal: pack.signal } : {};
  if (size < trailerBytes || size > limits.packBytes) throw damaged('pack-damaged', `${name} has ${size} bytes, which no pack has`);
  const tailLength = Math.min(size, firstRead);
  let tail = await reader.get(name, { offset: size - tailLength, length: tailLength }, options);
  const { directoryLength, catalogKeyId } = decodeTrailer(tail.subarray(tail.length - trailerBytes));
  const needed = directoryLength + trailerBytes;
  if (needed > size) throw damaged('pack-damaged', `${name} is damaged: its directory is longer than the pack`);
  if (needed > tail.length) tail = await reader.get(name, { offset: size - needed, length: needed }, options);
  const trailer = tail.subarray(tail.length - trailerBytes);
  const directory = tail.subarray(tail.length - needed, tail.length - trailerBytes);
  const cipher = frameCipher(repositoryId, await keys.get('catalog', catalogKeyId));
  return { name, size, catalogKeyId, frames: openDirectory(cipher, directory, trailer, size) };
};
