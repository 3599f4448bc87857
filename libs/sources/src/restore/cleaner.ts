import type { DeleteExtraneous } from '../restore.port.ts';
import { type Extraneous, covers, findExtraneous, removeExtraneous } from './extraneous.ts';
import type { Placer } from './placer.ts';
import type { SafePath } from './safe-path.ts';
import type { SafeTree } from './safe-tree.ts';

interface CleanerHooks {
  /** The snapshot's path of a path below the destination. */
  readonly toSource: (path: string) => Buffer;
  readonly report: (path: Buffer, error: unknown) => void;
}

/**
 * Finds what the snapshot lacks while entries come by (so that the names of one directory only are in memory), and removes it when all
 * else is done. Directories made by this restore hold nothing extraneous.
 */
export class Cleaner {
  private readonly found: Extraneous[] = [];
  private readonly examined = new Set<string>();
  private readonly tree: SafeTree;
  private readonly placer: Placer;
  private readonly permission: DeleteExtraneous;
  private readonly hooks: CleanerHooks;
  private current: string | undefined;
  private names = new Set<string>();

  constructor(tree: SafeTree, placer: Placer, permission: DeleteExtraneous, hooks: CleanerHooks) {
    this.tree = tree;
    this.placer = placer;
    this.permission = permission;
    this.hooks = hooks;
  }

  /** The next entry of the manifest, refused or not: its name stays. */
  seen(at: SafePath): void {
    if (at.directory !== this.current) {
      this.examineCurrent();
      this.current = at.directory;
      this.names = new Set();
    }
    this.names.add(at.name);
  }

  /** Removes (or only counts) what was found; returns how many entries. */
  finish(dryRun: boolean): number {
    this.examineCurrent();
    this.names = new Set();
    // What the manifest says is an empty directory never came by as the directory of an entry.
    for (const directory of this.placer.directories.keys()) this.examine(directory);
    if (dryRun) return this.found.length;
    let removed = 0;
    for (const item of this.found) {
      removed += removeExtraneous(this.tree, item, this.stays, (path, error) => this.hooks.report(this.hooks.toSource(path), error));
    }
    return removed;
  }

  private examineCurrent(): void {
    if (this.current !== undefined) this.examine(this.current);
  }

  private examine(directory: string): void {
    if (this.examined.has(directory) || this.placer.directories.get(directory) !== 'existing') return;
    this.examined.add(directory);
    const source = this.hooks.toSource(directory);
    if (!covers(this.permission, source)) return;
    try {
      this.found.push(...findExtraneous(this.tree, directory, this.names, this.stays));
    } catch (error) {
      this.hooks.report(source, error);
    }
  }

  private readonly stays = (path: string, directory: boolean): boolean =>
    this.permission.keep?.(this.hooks.toSource(path), directory) ?? false;
}
