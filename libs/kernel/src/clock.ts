/** The only way to know or to wait for time. Tests move a `FakeClock`; nothing else may call `Date.now`, `new Date()` or `setTimeout`. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970 (UTC). May jump. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes backwards. For durations. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The reason for ending a sleep that nobody needs any more. One for all: `abort()` without a reason makes an error with a trace each time. */
export const calledOff = new Error('Nobody waits for this any more');

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  // Not that of `node:timers/promises`: most sleeps are limits that are called off, and it makes an error with a trace for each.
  sleep: (ms, signal) => new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  }),
};

/** RFC 3339 in UTC with milliseconds, for example `2026-11-21T14:00:00.000Z`. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString();

/** Milliseconds since 1970 of an RFC 3339 time; NaN when it is none. */
export const parseTime = (text: string): number => Date.parse(text);
