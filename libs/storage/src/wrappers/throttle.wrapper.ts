import { type Clock, systemClock } from '#kernel';
import { lengthOf } from '../bytes.ts';
import type { ObjectStore } from '../object-store.port.ts';

/** Bytes per second in each direction; absent: as fast as it goes. */
export interface ThrottleOptions {
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
  readonly clock?: Clock;
}

/** Books `bytes` and waits until they are due: whole objects move at once, the average over a few of them keeps the rate. */
const bucket = (clock: Clock, rate: number | undefined) => {
  let due = clock.monotonic();
  return async (bytes: number, signal: AbortSignal | undefined): Promise<void> => {
    if (rate === undefined) return;
    const now = clock.monotonic();
    const start = Math.max(due, now);
    due = start + (bytes / rate) * 1000;
    if (start > now) await clock.sleep(start - now, signal);
  };
};

/** Keeps the average rate of bytes written and read below the given ones. Downloads are booked after they came. */
export const withThrottle = (store: ObjectStore, options: ThrottleOptions): ObjectStore => {
  const clock = options.clock ?? systemClock;
  const up = bucket(clock, options.uploadBytesPerSecond);
  const down = bucket(clock, options.downloadBytesPerSecond);
  return {
    put: async (name, body, put) => {
      await up(lengthOf(body), put.signal);
      return store.put(name, body, put);
    },
    get: async (name, range, call) => {
      if (range) await down(range.length, call?.signal);
      const bytes = await store.get(name, range, call);
      if (!range) await down(bytes.length, call?.signal);
      return bytes;
    },
    head: (name, call) => store.head(name, call),
    list: (prefix, call) => store.list(prefix, call),
    delete: (name, call) => store.delete(name, call),
  };
};
