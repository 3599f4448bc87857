import { lstatSync, readdirSync, type BigIntStats, type Stats } from 'node:fs';
import type { SourceEntry, SourceFault, WalkOptions } from '../source.port.ts';
import { cacheTagName, isCacheTag } from './cache-tag.ts';
import { entryOf, typeOfMode } from './entry.ts';
import type { ExcludeMatcher } from './excludes.ts';
import type { HostNames } from './host-names.ts';
import type { RootNode } from './roots.ts';

/** A chosen path, as its excludes and its file system are its own: two chosen paths may overlap, an entry of either is an entry. */
interface Chosen {
  /** Length of the prefix to cut off for the excludes. */
  readonly cut: number;
  readonly device: number;
}

/** A directory still to be read. Its path ends in `/` and is bytes as a latin1 string. */
interface Directory {
  readonly path: string;
  readonly chosen: readonly Chosen[];
  readonly roots?: RootNode;
}

/** What decides over entries. */
export interface WalkRules {
  readonly excluded: ExcludeMatcher;
  readonly oneFileSystem: boolean;
  readonly excludeCaches: boolean;
  readonly names: HostNames;
  readonly onFault: (fault: SourceFault) => void;
  readonly recall?: WalkOptions['recall'];
}

/**
 * Walks in manifest order, one directory a step: depth first, each directory's children together. Synchronous, as a call through the
 * thread pool costs several times the system call itself; the caller lets the event loop run between the steps.
 */
export function* walk(roots: RootNode, rules: WalkRules): Generator<SourceEntry[]> {
  const device = roots.chosen ? lstatSync('/').dev : 0;
  const stack: Directory[] = [{ path: '/', chosen: roots.chosen ? [{ cut: 1, device }] : [], roots }];
  for (let directory = stack.pop(); directory; directory = stack.pop()) {
    const entries: SourceEntry[] = [];
    const below: Directory[] = [];
    for (const name of namesIn(directory, rules)) {
      const found = visit(directory, name, rules);
      if (!found) continue;
      entries.push(found.entry);
      if (found.below) below.push(found.below);
    }
    for (let i = below.length - 1; i >= 0; i--) stack.push(below[i] as Directory);
    yield entries;
  }
}

/** Names to look at, in byte order (latin1 strings sort as their bytes). */
const namesIn = (directory: Directory, rules: WalkRules): readonly string[] => {
  const wanted = [...(directory.roots?.children.keys() ?? [])];
  if (directory.chosen.length === 0) return wanted.sort();
  const absolute = Buffer.from(directory.path, 'latin1');
  try {
    const names = readdirSync(absolute, { encoding: 'latin1' });
    // A directory chosen by name is wanted, cache or not.
    if (rules.excludeCaches && !directory.roots?.chosen && holdsCacheTag(directory.path, names)) return [...new Set([cacheTagName, ...wanted])].sort();
    return names.sort();
  } catch (error) {
    rules.onFault(faultOf(absolute.subarray(1, -1), error));
    return wanted.sort();
  }
};

const holdsCacheTag = (path: string, names: readonly string[]): boolean =>
  names.includes(cacheTagName) && isCacheTag(Buffer.from(path + cacheTagName, 'latin1'));

const visit = (directory: Directory, name: string, rules: WalkRules): { entry: SourceEntry; below?: Directory } | undefined => {
  const absolute = Buffer.from(directory.path + name, 'latin1');
  const roots = directory.roots?.children.get(name);
  try {
    const stats = rules.recall ? lstatSync(absolute) : lstatSync(absolute, { bigint: true });
    const chosen = chosenAt(directory, name, { directory: stats.isDirectory(), device: Number(stats.dev), roots }, rules);
    if (chosen.length === 0 && !roots) return undefined;
    const entry = entryAt(absolute, stats, rules);
    if (entry.type !== 'directory') return { entry };
    const path = `${directory.path}${name}/`;
    const inside = rules.oneFileSystem ? chosen.filter((one) => one.device === Number(stats.dev)) : chosen;
    return inside.length > 0 || roots ? { entry, below: { path, chosen: inside, ...(roots ? { roots } : undefined) } } : { entry };
  } catch (error) {
    rules.onFault(faultOf(absolute.subarray(1), error));
    return undefined;
  }
};

const isExact = (stats: Stats | BigIntStats): stats is BigIntStats => typeof stats.ino === 'bigint';

/** What is remembered of it, else what it is with all digits, which cost several times as much as what the plain call gives. */
const entryAt = (absolute: Buffer, quick: Stats | BigIntStats, rules: WalkRules): SourceEntry => {
  const { recall, names } = rules;
  if (isExact(quick)) return exactEntry(absolute, quick, names);
  return recall?.(absolute.subarray(1), quick, { user: names.user(quick.uid), group: names.group(quick.gid) }) ??
    exactEntry(absolute, lstatSync(absolute, { bigint: true }), names);
};

const exactEntry = (absolute: Buffer, stats: BigIntStats, names: HostNames): SourceEntry => {
  const type = typeOfMode(Number(stats.mode));
  if (!type) throw new Error('it is of a type this version does not know');
  return entryOf(absolute, stats, type, names);
};

interface Seen {
  readonly directory: boolean;
  readonly device: number;
  readonly roots: RootNode | undefined;
}

/** The chosen paths that want this entry: those of its directory that do not exclude it, and itself when it is one. */
const chosenAt = (directory: Directory, name: string, seen: Seen, rules: WalkRules): readonly Chosen[] => {
  const path = directory.path + name;
  const kept = directory.chosen.filter((one) => !rules.excluded(path.slice(one.cut), seen.directory));
  if (seen.roots?.chosen) kept.push({ cut: path.length + 1, device: seen.device });
  return kept;
};

/** What the system said, as something to report: a path that is gone is another matter than one that may not be read. */
export const faultOf = (path: Buffer, error: unknown): SourceFault => {
  const code = (error as NodeJS.ErrnoException).code;
  const said = code === undefined ? String((error as Error).message) : `${code} (${String((error as NodeJS.ErrnoException).syscall)})`;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { path, code: 'vanished', detail: `It was not there when it was read: ${said}` };
  return { path, code: 'unreadable', detail: `The system refused to read it: ${said}` };
};
