/** Runs work after all work that named one of the same things before it. */
export type LineUp = <T>(names: readonly string[], work: () => Promise<T>) => Promise<T>;

/** Lines for any number of things; a line ends when nobody stands in it. Never a deadlock: everybody joins all lines at once. */
export const lineUp = (): LineUp => {
  const ends = new Map<string, Promise<void>>();
  return async (names, work) => {
    const before = names.map((name) => ends.get(name) ?? Promise.resolve());
    const { promise: done, resolve: leave } = Promise.withResolvers<void>();
    for (const name of names) ends.set(name, done);
    try {
      await Promise.all(before);
      return await work();
    } finally {
      leave();
      for (const name of names) if (ends.get(name) === done) ends.delete(name);
    }
  };
};
