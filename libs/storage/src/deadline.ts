import type { Clock } from '#kernel';
import { storageUnavailable } from './store-errors.ts';

/**
 * Runs `call` with a signal that aborts after `ms` milliseconds of `clock`, or when `signal` does. The deadline is the retryable
 * `storage-unavailable`; the caller's own abort is thrown as its reason.
 */
export const withDeadline = async <T>(
  clock: Clock, ms: number, signal: AbortSignal | undefined, call: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  signal?.throwIfAborted();
  const over = new AbortController();
  const done = new AbortController();
  const both = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const timeout = storageUnavailable(`The target did not answer within ${Math.round(ms / 1000)} s`);
  clock.sleep(ms, done.signal).then(() => over.abort(timeout), () => undefined);
  try {
    return await call(both);
  } catch (error) {
    signal?.throwIfAborted();
    throw over.signal.aborted ? timeout : error;
  } finally {
    done.abort();
  }
};
