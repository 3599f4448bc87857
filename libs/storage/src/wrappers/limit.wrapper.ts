import type { ObjectStore } from '../object-store.port.ts';

/** A counter of permits; whoever waits longest is next. */
export const semaphore = (permits: number) => {
  let free = permits;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  /** Runs `work` when a permit is free. An abort while waiting gives the place up. */
  return async <T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    if (free > 0) free--;
    else {
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        };
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(go), 1);
          reject(signal?.reason as Error);
        };
        waiting.push(go);
        signal?.addEventListener('abort', giveUp, { once: true });
      });
    }
    try {
      return await work();
    } finally {
      release();
    }
  };
};

/** At most `concurrency` calls at the same time; a listing takes no permit (it is one page at a time anyway). */
export const withLimit = (store: ObjectStore, concurrency: number): ObjectStore => {
  const limited = semaphore(concurrency);
  return {
    put: (name, body, options) => limited(options.signal, () => store.put(name, body, options)),
    get: (name, range, options) => limited(options?.signal, () => store.get(name, range, options)),
    head: (name, options) => limited(options?.signal, () => store.head(name, options)),
    delete: (name, options) => limited(options?.signal, () => store.delete(name, options)),
    list: (prefix, options) => store.list(prefix, options),
  };
};
