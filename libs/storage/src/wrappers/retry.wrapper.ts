import { type Clock, isAppError, systemClock } from '#kernel';
import type { ObjectStore } from '../object-store.port.ts';

/** How often and how patiently a call is repeated. */
export interface RetryOptions {
  readonly clock?: Clock;
  /** Calls in all. Default 6. */
  readonly attempts?: number;
  /** Milliseconds before the second call; doubles every time. Default 200. */
  readonly firstDelayMs?: number;
  /** Longest pause. Default 30,000. */
  readonly maxDelayMs?: number;
  /** 0 to 1; a pause is between a half and all of its length. Default Math.random. */
  readonly random?: () => number;
  /** Told before every pause. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

const defaults = { clock: systemClock, attempts: 6, firstDelayMs: 200, maxDelayMs: 30_000, random: Math.random };

const isRetryable = (error: unknown): boolean => isAppError(error) && error.retryable;

/** Repeats `call` while it fails with a retryable `AppError`; the last error is thrown. */
export const retrying = async <T>(options: RetryOptions, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> => {
  const { clock, attempts, firstDelayMs, maxDelayMs, random } = { ...defaults, ...options };
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= attempts || !isRetryable(error)) throw error;
      options.onRetry?.(error, attempt);
      await clock.sleep(Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1)) * (0.5 + random() / 2), signal);
    }
  }
};

/**
 * Repeats calls that failed for a while. A repeated `put` whose first try did take effect answers `exists`: for names that end in
 * their hash that is the same success. A listing that breaks goes on after the last name it gave.
 */
export const withRetry = (store: ObjectStore, options: RetryOptions = {}): ObjectStore => ({
  put: (name, body, put) => retrying(options, put.signal, () => store.put(name, body, put)),
  get: (name, range, call) => retrying(options, call?.signal, () => store.get(name, range, call)),
  head: (name, call) => retrying(options, call?.signal, () => store.head(name, call)),
  delete: (name, call) => retrying(options, call?.signal, () => store.delete(name, call)),
  list: async function* (prefix, call) {
    let last = '';
    let listing = store.list(prefix, call)[Symbol.asyncIterator]();
    let fresh = true;
    const next = async () => {
      if (!fresh) listing = store.list(prefix, call)[Symbol.asyncIterator]();
      fresh = false;
      for (;;) {
        const result = await listing.next();
        if (result.done || result.value.name > last) {
          fresh = true;
          return result;
        }
      }
    };
    for (let item = await retrying(options, call?.signal, next); !item.done; item = await retrying(options, call?.signal, next)) {
      last = item.value.name;
      yield item.value;
    }
  },
});
