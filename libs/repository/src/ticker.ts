import type { Clock } from '#kernel';

const everyMs = 1_000;

/** Calls `tell` every second until the returned function is called, so that what other threads count is told while nothing else happens here. */
export const startTicker = (clock: Clock, tell: () => void): (() => void) => {
  const end = new AbortController();
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(everyMs, end.signal);
      tell();
    }
  };
  loop().catch(() => undefined);
  return () => end.abort();
};
