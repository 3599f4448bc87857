import { setTimeout as delay } from 'node:timers/promises';

/** The only way to know or to wait for time. Tests move a `FakeClock`; nothing else may call `Date.now`, `new Date()` or `setTimeout`. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970 (UTC). May jump. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes backwards. For durations. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : undefined).catch((error: unknown) => {
    throw signal?.aborted ? signal.reason : error;
  }),
};

/** RFC 3339 in UTC with milliseconds, for example `2026-11-21T14:00:00.000Z`. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString();

/** Milliseconds since 1970 of an RFC 3339 time; NaN when it is none. */
export const parseTime = (text: string): number => Date.parse(text);
