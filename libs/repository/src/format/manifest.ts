import { compareManifestPaths } from '#sources';
import { damaged } from './damage.ts';
import { macOf } from './mac.ts';
import type { ManifestEntry } from './manifest-entry.ts';
import { decodeManifestLine } from './manifest-line.ts';

/** Sizes between which a manifest is cut, in bytes. */
export const manifestCut = { min: 64 * 1024, max: 1024 * 1024, mask: 1023 } as const;

/**
 * Tells whether a manifest may be cut after the entry of a path: the first four bytes (little-endian) of HMAC-SHA-256 under the manifest
 * cut subkey, modulo 1,024, are zero. Depends on the path alone, so that a changed time moves no boundary.
 */
export const manifestCutter = (manifestCutKey: Uint8Array): ((path: Uint8Array) => boolean) => {
  const mac = macOf(manifestCutKey);
  return (path) => (mac(path).readUInt32LE(0) & manifestCut.mask) === 0;
};

/** The lines of a manifest chunk, each with its newline, as views. Throws `manifest-damaged` when the last has none. */
export function* manifestLines(chunk: Uint8Array): Generator<Buffer> {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) throw damaged('manifest-damaged', 'A manifest ends in the middle of a line');
    yield bytes.subarray(start, end + 1);
    start = end + 1;
  }
}

/**
 * The entries of one manifest chunk. `after` is the last path of the chunk before it: entries must be strictly ascending in the
 * manifest's order. Throws `manifest-damaged` for a duplicate, unsorted or malformed entry.
 */
export const decodeManifestChunk = (chunk: Uint8Array, after?: Buffer): ManifestEntry[] => {
  const entries: ManifestEntry[] = [];
  let last = after;
  for (const line of manifestLines(chunk)) {
    const entry = decodeManifestLine(line);
    if (last && compareManifestPaths(last, entry.path) >= 0) throw damaged('manifest-damaged', 'A manifest is not sorted or names an entry twice');
    last = entry.path;
    entries.push(entry);
  }
  return entries;
};
