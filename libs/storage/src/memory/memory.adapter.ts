import { checkBody, sliceRange } from '../bytes.ts';
import { checkObjectName, checkPrefix } from '../names.ts';
import { type ObjectStore, objectNotFound } from '../object-store.port.ts';
import { objectTooLarge } from '../store-errors.ts';

/** A store whose content can be looked at and damaged by a test. */
export interface MemoryStore extends ObjectStore {
  /** The objects by name. Changing one in place is damage done by a test. */
  readonly objects: Map<string, Uint8Array>;
}

/** Objects in this process's memory: for tests, and for a dry run that must not write. */
export const memoryStore = (objects = new Map<string, Uint8Array>()): MemoryStore => ({
  objects,
  put: async (name, body, { sha256, signal }) => {
    signal?.throwIfAborted();
    checkBody(checkObjectName(name), body, sha256);
    if (objects.has(name)) return 'exists';
    objects.set(name, Buffer.concat(body));
    return 'created';
  },
  get: async (name, range, options) => {
    options?.signal?.throwIfAborted();
    const bytes = objects.get(checkObjectName(name));
    if (!bytes) throw objectNotFound(name);
    if (!range && bytes.length > (options?.maxBytes ?? Infinity)) throw objectTooLarge(name, options?.maxBytes ?? 0);
    return Buffer.from(sliceRange(name, bytes, range));
  },
  head: async (name, options) => {
    options?.signal?.throwIfAborted();
    const bytes = objects.get(checkObjectName(name));
    return bytes && { name, size: bytes.length };
  },
  list: async function* (prefix, options) {
    checkPrefix(prefix);
    const names = [...objects.keys()].filter((name) => name.startsWith(prefix)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const name of names) {
      options?.signal?.throwIfAborted();
      const bytes = objects.get(name);
      if (bytes) yield { name, size: bytes.length };
    }
  },
  delete: async (name) => {
    objects.delete(checkObjectName(name));
  },
});
