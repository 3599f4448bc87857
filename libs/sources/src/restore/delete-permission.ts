import type { DeleteExtraneous } from '../restore.port.ts';
import { excludeMatcher } from '../walk/excludes.ts';

/**
 * The permission to remove what a snapshot lacks, from its source description (`Source.description`): inside the paths that were backed
 * up, narrowed to `path` (relative to `/`) when only that is restored, and never what the excludes left out then. Undefined when the
 * description is not of a `files` source: then nothing may be removed. A partial snapshot lacks things that could not be read: do not
 * remove anything for one.
 */
export const deletePermission = (description: Readonly<Record<string, unknown>>, path?: Buffer): DeleteExtraneous | undefined => {
  const { type, paths, excludes = [] } = description;
  if (type !== 'files' || !isTexts(paths) || !isTexts(excludes)) return undefined;
  const chosen = paths.map((one) => one.replace(/^\/+|\/+$/g, '')).map((one) => Buffer.from(one).toString('latin1'));
  const excluded = excludeMatcher(excludes);
  const wanted = path?.toString('latin1').replace(/^\/+|\/+$/g, '') ?? '';
  const roots = chosen.flatMap((one) => (isInside(wanted, one) ? [wanted] : isInside(one, wanted) ? [one] : []));
  return {
    roots: roots.map((root) => Buffer.from(root, 'latin1')),
    keep: (at, directory) => {
      const text = at.toString('latin1');
      // Left out by one chosen path, it may still belong to another; where any would have left it out, it stays.
      return chosen.some((one) => text !== one && isInside(text, one) && excluded(one === '' ? text : text.slice(one.length + 1), directory));
    },
  };
};

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((one) => typeof one === 'string');

const isInside = (path: string, directory: string): boolean =>
  directory === '' || path === directory || path.startsWith(`${directory}/`);
