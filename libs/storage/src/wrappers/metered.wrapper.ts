import { lengthOf } from '../bytes.ts';
import { isObjectNotFound, type ObjectStore } from '../object-store.port.ts';

/** What went through a store since it was wrapped. */
export interface StoreCounters {
  puts: number;
  /** Puts that found the object there. */
  existed: number;
  gets: number;
  heads: number;
  deletes: number;
  lists: number;
  bytesWritten: number;
  bytesRead: number;
  /** Calls that failed, "not found" not counted. */
  failures: number;
}

/** A store that counts. */
export interface MeteredStore extends ObjectStore {
  readonly counters: Readonly<StoreCounters>;
}

/** Counts calls, bytes and failures. Below a retry wrapper it counts tries, above it results. */
export const withMeter = (store: ObjectStore): MeteredStore => {
  const counters: StoreCounters = { puts: 0, existed: 0, gets: 0, heads: 0, deletes: 0, lists: 0, bytesWritten: 0, bytesRead: 0, failures: 0 };
  const counted = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (!isObjectNotFound(error)) counters.failures++;
      throw error;
    }
  };
  return {
    counters,
    put: async (name, body, options) => {
      counters.puts++;
      const outcome = await counted(store.put(name, body, options));
      if (outcome === 'created') counters.bytesWritten += lengthOf(body);
      else counters.existed++;
      return outcome;
    },
    get: async (name, range, options) => {
      counters.gets++;
      const bytes = await counted(store.get(name, range, options));
      counters.bytesRead += bytes.length;
      return bytes;
    },
    head: (name, options) => {
      counters.heads++;
      return counted(store.head(name, options));
    },
    delete: (name, options) => {
      counters.deletes++;
      return counted(store.delete(name, options));
    },
    list: (prefix, options) => {
      counters.lists++;
      return store.list(prefix, options);
    },
  };
};
