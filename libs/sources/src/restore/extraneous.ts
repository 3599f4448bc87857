import { lstatSync, readdirSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import type { DeleteExtraneous } from '../restore.port.ts';
import { cacheTagName, isCacheTag } from '../walk/cache-tag.ts';
import { typeOfMode } from '../walk/entry.ts';
import { joinPath, splitPath } from './safe-path.ts';
import { type SafeTree, fdPath } from './safe-tree.ts';

/** Something in a restored directory that the snapshot does not have. Path below the destination, bytes as a latin1 string. */
export interface Extraneous {
  readonly path: string;
  readonly directory: boolean;
}

/** True when the permission covers what is directly in this directory: a chosen path or something below one. */
export const covers = (permission: DeleteExtraneous, directory: Buffer): boolean =>
  permission.roots.some((root) =>
    root.length === 0 || root.equals(directory) || (directory.length > root.length && directory[root.length] === 0x2f
      && directory.subarray(0, root.length).equals(root)));

/**
 * What is in `directory` beside `names`. Mount points and the contents of tagged caches stay: they were perhaps never part of the backup.
 */
export const findExtraneous = (
  tree: SafeTree, directory: string, names: ReadonlySet<string>, stays: (path: string, directory: boolean) => boolean,
): Extraneous[] => {
  const fd = tree.directory(directory);
  const device = statSync(fdPath(fd), { bigint: true }).dev;
  const found: Extraneous[] = [];
  const present = readdirSync(fdPath(fd), { encoding: 'latin1' });
  if (present.includes(cacheTagName) && isCacheTag(tree.at(directory, cacheTagName))) return found;
  for (const name of present) {
    if (names.has(name)) continue;
    const stats = lstatSync(tree.at(directory, name), { bigint: true, throwIfNoEntry: false });
    if (!stats || stats.dev !== device) continue;
    const path = joinPath(directory, name);
    const isDirectory = typeOfMode(Number(stats.mode)) === 'directory';
    if (!stays(path, isDirectory)) found.push({ path, directory: isDirectory });
  }
  return found;
};

/**
 * Removes an extraneous entry with all below it, except what `stays` and what holds such; links are removed, never followed. Returns how
 * many entries went; tells `failed` of each that could not.
 */
export const removeExtraneous = (
  tree: SafeTree, item: Extraneous, stays: (path: string, directory: boolean) => boolean, failed: (path: string, error: unknown) => void,
): number => {
  let removed = 0;
  try {
    const { directory, name } = splitPath(item.path);
    if (!item.directory) {
      unlinkSync(tree.at(directory, name));
      return 1;
    }
    const inside = findExtraneous(tree, item.path, new Set(), stays);
    for (const child of inside) removed += removeExtraneous(tree, child, stays, failed);
    if (readdirSync(fdPath(tree.directory(item.path))).length > 0) return removed;
    tree.forget(item.path);
    rmdirSync(tree.at(directory, name));
    return removed + 1;
  } catch (error) {
    failed(item.path, error);
    return removed;
  }
};
