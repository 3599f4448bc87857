import { lchownSync, lstatSync, lutimesSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import type { RestoreEntry, RestoreMode } from '../restore.port.ts';
import { typeOfMode } from '../walk/entry.ts';
import type { Decision, Existing } from './decide.ts';
import { decide } from './decide.ts';
import { assertComplete, attemptAll } from './facts.ts';
import type { SafePath } from './safe-path.ts';
import { splitPath } from './safe-path.ts';
import type { DirectoryState, SafeTree } from './safe-tree.ts';
import { makeSpecial } from './special-files.ts';
import type { Stage } from './stage.ts';
import { utimesArgument } from './times.ts';

/** Settings of a restore that the steps below need. */
export interface PlacerOptions {
  readonly tree: SafeTree;
  readonly mode: RestoreMode;
  readonly dryRun: boolean;
  readonly ownership: boolean;
  readonly stage: Stage;
}

/** Makes everything but the contents of files. Throws the system's errors: the restore writer reports them by entry. */
export class Placer {
  /** Directories this restore has seen, by path. `virtual` ones would exist had this not been a dry run. */
  readonly directories = new Map<string, DirectoryState>([['', 'existing']]);
  private readonly options: PlacerOptions;

  constructor(options: PlacerOptions) {
    this.options = options;
  }

  /** A name to make something under: the last one where nothing can be in the way, otherwise a staged one. */
  stagedName(at: SafePath): string {
    return this.directories.get(at.directory) === 'made' ? at.name : this.options.stage.name(at.directory);
  }

  /**
   * Makes missing directories above an entry: the manifest begins below them, or the part of it that had them is damaged. Throws ENOTDIR
   * or ELOOP at a link or file. A file of the same name that is not written yet cannot take its place any more, and becomes a fault.
   */
  prepare(path: string): void {
    if (this.directories.has(path)) return;
    const { directory } = splitPath(path);
    this.prepare(directory);
    if (this.options.dryRun) {
      this.directories.set(path, this.directories.get(directory) === 'virtual' || !this.existing(splitPath(path)) ? 'virtual' : 'existing');
      return;
    }
    const made = this.options.tree.make(path);
    this.options.tree.directory(path);
    this.directories.set(path, made ? 'made' : 'existing');
  }

  /** What the mode says about an entry; looks only where something can be. */
  decide(entry: RestoreEntry, at: SafePath): Decision {
    return this.directories.get(at.directory) === 'existing' ? decide(this.options.mode, entry, this.existing(at)) : 'make';
  }

  /** What is at a place now, links not followed. */
  existing(at: SafePath): Existing | undefined {
    const stats = lstatSync(this.options.tree.at(at.directory, at.name), { bigint: true, throwIfNoEntry: false });
    if (!stats) return undefined;
    const type = typeOfMode(Number(stats.mode)) ?? 'file';
    return { type, size: Number(stats.size), mtimeNs: stats.mtimeNs, inode: stats.ino, device: stats.dev };
  }

  /** A directory in the place of nothing or of something that is none. */
  makeDirectory(at: SafePath, decision: Decision): void {
    if (this.options.dryRun) {
      this.directories.set(at.path, decision === 'adopt' || decision === 'keep' ? 'existing' : 'virtual');
      return;
    }
    if (decision === 'replace') unlinkSync(this.options.tree.at(at.directory, at.name));
    const made = decision !== 'adopt' && decision !== 'keep' && this.options.tree.make(at.path);
    this.options.tree.directory(at.path);
    this.directories.set(at.path, made ? 'made' : 'existing');
  }

  /** A symbolic link with its owner and time, as it was: its target is text and not looked at. */
  makeSymlink(entry: RestoreEntry, at: SafePath): void {
    const staged = this.stagedName(at);
    const path = this.options.tree.at(at.directory, staged);
    symlinkSync(entry.linkTarget ?? Buffer.alloc(0), path);
    this.reveal(path, entry, at, staged);
  }

  /** A fifo or device. Its mode is set by the program that makes it, its real one by `finish`. */
  async makeSpecial(entry: RestoreEntry, at: SafePath, kind: 'fifo' | 'block' | 'char'): Promise<void> {
    // Always staged, as the name goes to a program as an argument, which cannot hold every byte.
    const staged = this.options.stage.name(at.directory);
    await makeSpecial(this.options.tree.directory(at.directory), staged, kind, entry.rdev);
    this.reveal(this.options.tree.at(at.directory, staged), entry, at, staged);
  }

  private reveal(path: Buffer, entry: RestoreEntry, at: SafePath, staged: string): void {
    const time = utimesArgument(entry.mtimeNs);
    const missing = attemptAll([
      () => this.options.ownership && lchownSync(path, entry.uid, entry.gid),
      () => lutimesSync(path, time, time),
    ]);
    if (staged !== at.name) renameSync(path, this.options.tree.at(at.directory, at.name));
    assertComplete(missing);
  }
}
