/** The first of many names in byte order, found without keeping the others. */
export interface FirstNames<T> {
  /** Offers a name; `extra` is made only when it is kept. */
  add(name: Buffer, extra: () => T): void;
  /** What is kept, in order. */
  list(): readonly { readonly name: Buffer; readonly extra: T }[];
  /** Names that were offered. */
  total(): number;
}

/** Keeps the first `count` names that come after `after`. */
export const firstNames = <T>(count: number, after: Buffer | undefined): FirstNames<T> => {
  const kept: { name: Buffer; extra: T }[] = [];
  let total = 0;
  const placeOf = (name: Buffer): number => {
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((kept[middle]?.name ?? name).compare(name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    add: (name, extra) => {
      total += 1;
      if (after && name.compare(after) <= 0) return;
      const place = placeOf(name);
      if (place >= count) return;
      // A copy: the name is a part of what the system gave for hundreds of names.
      kept.splice(place, 0, { name: Buffer.from(name), extra: extra() });
      if (kept.length > count) kept.pop();
    },
    list: () => kept,
    total: () => total,
  };
};
