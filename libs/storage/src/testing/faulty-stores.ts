import type { Clock } from '#kernel';
import type { ObjectStore } from '../object-store.port.ts';
import { storageUnavailable } from '../store-errors.ts';

type Operation = 'put' | 'get' | 'head' | 'list' | 'delete';

/** One call that goes wrong. */
export interface Fault {
  /** `before`: nothing happened. `after`: it took effect and the answer was lost. */
  readonly when: 'before' | 'after';
  readonly error?: Error;
}

/** Says, for every call (counted from 1 over all operations), whether it goes wrong. */
export type FaultPlan = (call: { readonly number: number; readonly operation: Operation; readonly name: string }) => Fault | undefined;

/** A store whose calls fail as planned; a listing fails at its first item. `calls` tells how many there were. */
export const faultyStore = (store: ObjectStore, plan: FaultPlan): ObjectStore & { readonly calls: () => number } => {
  let number = 0;
  const lost = (fault: Fault): Error => fault.error ?? storageUnavailable('The connection broke (planned by a test)');
  const run = async <T>(operation: Operation, name: string, work: () => Promise<T>): Promise<T> => {
    const fault = plan({ number: ++number, operation, name });
    if (fault?.when === 'before') throw lost(fault);
    const result = await work();
    if (fault) throw lost(fault);
    return result;
  };
  return {
    calls: () => number,
    put: (name, body, options) => run('put', name, () => store.put(name, body, options)),
    get: (name, range, options) => run('get', name, () => store.get(name, range, options)),
    head: (name, options) => run('head', name, () => store.head(name, options)),
    delete: (name, options) => run('delete', name, () => store.delete(name, options)),
    list: async function* (prefix, options) {
      await run('list', prefix, async () => undefined);
      yield* store.list(prefix, options);
    },
  };
};

/** A store that takes `ms` of `clock` for every call. */
export const slowStore = (store: ObjectStore, clock: Clock, ms: number): ObjectStore => {
  const slowly = async <T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
    await clock.sleep(ms, signal);
    return work();
  };
  return {
    put: (name, body, options) => slowly(options.signal, () => store.put(name, body, options)),
    get: (name, range, options) => slowly(options?.signal, () => store.get(name, range, options)),
    head: (name, options) => slowly(options?.signal, () => store.head(name, options)),
    delete: (name, options) => slowly(options?.signal, () => store.delete(name, options)),
    list: async function* (prefix, options) {
      await clock.sleep(ms, options?.signal);
      yield* store.list(prefix, options);
    },
  };
};

/**
 * An eventually consistent store: for `lag` further calls, a listing does not show a new object and still shows a deleted one.
 * Reads and writes by name are consistent.
 */
export const staleStore = (store: ObjectStore, lag: number): ObjectStore => {
  let call = 0;
  const created = new Map<string, number>();
  const deleted = new Map<string, { readonly at: number; readonly size: number }>();
  return {
    put: async (name, body, options) => {
      const outcome = await store.put(name, body, options);
      if (outcome === 'created') created.set(name, ++call);
      deleted.delete(name);
      return outcome;
    },
    get: (name, range, options) => {
      call++;
      return store.get(name, range, options);
    },
    head: (name, options) => {
      call++;
      return store.head(name, options);
    },
    delete: async (name, options) => {
      const info = await store.head(name, options);
      await store.delete(name, options);
      if (info) deleted.set(name, { at: ++call, size: info.size });
      created.delete(name);
    },
    list: async function* (prefix, options) {
      const now = ++call;
      const shown = [];
      for await (const info of store.list(prefix, options)) if (now - (created.get(info.name) ?? -Infinity) > lag) shown.push(info);
      for (const [name, { at, size }] of deleted) if (name.startsWith(prefix) && now - at <= lag) shown.push({ name, size });
      yield* shown.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    },
  };
};

/** A store that hands out damaged bytes: `damage` gets a copy of what was read (the whole object or a range) and returns what is seen. */
export const damagedStore = (store: ObjectStore, damage: (name: string, bytes: Buffer) => Uint8Array): ObjectStore => ({
  put: (name, body, options) => store.put(name, body, options),
  get: async (name, range, options) => damage(name, Buffer.from(await store.get(name, range, options))),
  head: (name, options) => store.head(name, options),
  delete: (name, options) => store.delete(name, options),
  list: (prefix, options) => store.list(prefix, options),
});
