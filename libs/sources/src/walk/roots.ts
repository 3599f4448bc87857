import { realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { fault, messageOf } from '#kernel';

/** Where the walk has to go to reach the chosen paths: a tree of names, each as bytes in a latin1 string. */
export interface RootNode {
  /** The path ending here was chosen: everything below it belongs to the source. */
  chosen: boolean;
  readonly children: Map<string, RootNode>;
}

const newNode = (): RootNode => ({ chosen: false, children: new Map() });

/** A chosen path whose directory was reached through a symbolic link: what was asked, and what is walked instead. */
export interface RootAlias {
  readonly asked: string;
  readonly walked: string;
}

/**
 * Merges chosen paths into one tree, so that each entry comes once. Links in the directory part of a path are followed, as an entry
 * below a link could not be restored; a chosen path that is itself a link stays one. `.`, `..` and doubled slashes are resolved.
 */
export const rootTree = (paths: readonly (string | Buffer)[]): { tree: RootNode; aliases: readonly RootAlias[] } => {
  const tree = newNode();
  const aliases: RootAlias[] = [];
  for (const path of paths) {
    const asked = normalized(path);
    const walked = throughLinks(asked);
    if (walked !== asked) aliases.push({ asked, walked });
    let node = tree;
    for (const name of walked.split('/').filter((part) => part !== '')) {
      let child = node.children.get(name);
      if (!child) node.children.set(name, (child = newNode()));
      node = child;
    }
    node.chosen = true;
  }
  return { tree, aliases };
};

const normalized = (path: string | Buffer): string => {
  const bytes = Buffer.from(path).toString('latin1');
  if (!bytes.startsWith('/') || bytes.includes('\0')) {
    throw fault('validation', 'source-path-invalid', `Give an absolute path to back up instead of "${String(path)}"`);
  }
  return posix.resolve(bytes);
};

/** The same path with its directory part free of links; unchanged where the directory does not exist (the walk will report that). */
const throughLinks = (path: string): string => {
  if (path === '/') return path;
  try {
    const parent = realpathSync(Buffer.from(posix.dirname(path), 'latin1'), { encoding: 'latin1' });
    return posix.join(parent, posix.basename(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return path;
    throw fault('internal', 'source-path-unresolved', `The path ${path} cannot be resolved`, { internal: messageOf(error) });
  }
};
