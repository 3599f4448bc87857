import { hasCode } from '#kernel';
import type { ObjectReader } from '#storage';
import { damaged } from './damage.ts';
import { limits } from './limits.ts';
import { type ObjectKind, parseObjectName } from './names.ts';

const largest: Readonly<Record<ObjectKind, number>> = {
  'id-key': limits.wrappedKeyBytes, 'data-key': limits.wrappedKeyBytes, 'catalog-key': limits.wrappedKeyBytes,
  pack: limits.packBytes, index: limits.packBytes, 'key-bundle': limits.packBytes, snapshot: limits.snapshotBytes,
};

/** Bytes that an object of this name has at most; `repository.json` is what has no hash in its name. */
export const largestObject = (name: string): number => {
  const parsed = parseObjectName(name);
  return parsed ? largest[parsed.kind] : limits.headerBytes;
};

/**
 * An object whole, its hash not checked. Whatever lies under the name, no more than the format allows is brought into memory: what is
 * larger is `object-damaged`. The target's errors pass through.
 */
export const readObject = async (reader: ObjectReader, name: string, signal?: AbortSignal): Promise<Uint8Array> => {
  const maxBytes = largestObject(name);
  try {
    return await reader.get(name, undefined, { maxBytes, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (!hasCode(error, 'object-too-large')) throw error;
    throw damaged('object-damaged', `${name} is larger than the ${maxBytes} bytes that such an object has at most`);
  }
};
