/** Runs work, at most so many at a time, in the order in which it came. */
export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

/** A semaphore with `places` places. */
export const semaphore = (places: number): Semaphore => {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
};
