import type { SourceEntry } from '#sources';
import { damaged } from './damage.ts';

/** One line of a manifest: what is known of an entry without its content. */
export interface ManifestEntry extends Omit<SourceEntry, 'contentPath' | 'open'> {
  /** Which names are one file: equal in all of them, absent where there is one name only. */
  readonly hardlink?: string;
  /** Words about the file's content, such as `sparse`. */
  readonly flags?: readonly string[];
  /** Records of this entry in the refs chunk. */
  readonly references: number;
}

const slash = 0x2f;

/**
 * Refuses a path that is absolute, empty, holds a NUL, or has a component that is empty, `.` or `..`. Every reader and writer of a
 * manifest calls it: a path that passes can be joined below a directory without leaving it, but for links on the way.
 */
export const checkPath = (path: Buffer): void => {
  if (path.length === 0) throw damaged('manifest-damaged', 'A manifest holds an entry without a path');
  if (path.includes(0)) throw damaged('manifest-damaged', 'A manifest holds a path with a NUL byte');
  let start = 0;
  while (start <= path.length) {
    const found = path.indexOf(slash, start);
    const end = found < 0 ? path.length : found;
    const length = end - start;
    const dots = length <= 2 && path[start] === 0x2e && (length === 1 || path[start + 1] === 0x2e);
    if (length === 0 || dots) throw damaged('manifest-damaged', 'A manifest holds a path that is absolute or has an empty, "." or ".." part');
    start = end + 1;
  }
};
