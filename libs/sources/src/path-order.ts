const slash = 0x2f;

/**
 * The manifest's order of two paths (raw bytes, relative to `/`): by directory, then by name, directories compared component by
 * component. Negative, zero or positive, as for `sort`. All children of a directory come first, then each child directory's own.
 */
export const compareManifestPaths = (a: Buffer, b: Buffer): number => {
  const cutA = a.lastIndexOf(slash);
  const cutB = b.lastIndexOf(slash);
  return compareDirectories(a, Math.max(cutA, 0), b, Math.max(cutB, 0)) || a.compare(b, cutB + 1, b.length, cutA + 1, a.length);
};

/** Compares `a[0, endA)` and `b[0, endB)` as lists of components: the separator sorts before every byte of a name. */
const compareDirectories = (a: Buffer, endA: number, b: Buffer, endB: number): number => {
  const end = Math.min(endA, endB);
  for (let i = 0; i < end; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    if (x === y) continue;
    if (x === slash) return -1;
    return y === slash ? 1 : x - y;
  }
  return endA - endB;
};
