import { readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from '../state/private-file.ts';

/** A version of the agent on this host. */
export interface Build {
  readonly version: string;
  /** SHA-256 (hex) of the file. */
  readonly sha256: string;
}

/** An order of the masters and how far it is. */
export interface StagedOrder extends Build {
  readonly id: string;
  readonly size: number;
  readonly stage: 'fetching' | 'waiting' | 'trying' | 'confirmed' | 'failed';
  /** Trials that were begun. */
  readonly tries: number;
  readonly code?: string;
  readonly detail?: string;
}

/**
 * Which version runs and which is to: the journal of upgrades, read by every later version and by the installed one, so its shape only
 * ever grows. Replaced in one step; whoever is killed at any moment finds the step before or the step after.
 */
export interface UpgradeRecord {
  readonly format: 1;
  /** What runs instead of the installed file. */
  readonly current?: Build;
  /** The installed file that `current` and `order` were made beside; another one there is the operator's word and ends both. */
  readonly installed?: string;
  readonly order?: StagedOrder;
}

const empty: UpgradeRecord = { format: 1 };
const isRecord = (value: unknown): value is UpgradeRecord => typeof value === 'object' && value !== null && (value as { format?: unknown }).format === 1;

/** Tells one installed file from another without reading it. */
export const fingerprint = (file: string): string => {
  const { size, mtimeMs, ino } = statSync(file);
  return `${size}-${mtimeMs}-${ino}`;
};

/** Upgrades of the agent of one state directory: `upgrade.json` and the fetched files below `versions`. */
export class UpgradeFile {
  readonly root: string;
  readonly versions: string;
  private readonly file: string;

  constructor(root: string) {
    this.root = root;
    this.file = join(root, 'upgrade.json');
    this.versions = join(root, 'versions');
  }

  /** A damaged record is put aside and counts as none: then the installed file runs. */
  read(): UpgradeRecord {
    try {
      const value: unknown = JSON.parse(readFileSync(this.file, 'utf8'));
      if (isRecord(value)) return value;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return empty;
      if (!(error instanceof SyntaxError)) throw error;
    }
    renameSync(this.file, `${this.file}.damaged`);
    return empty;
  }

  write(record: UpgradeRecord): void {
    writePrivateFile(this.file, JSON.stringify(record, undefined, 2));
  }

  /** The folder of a build. */
  folderOf({ version, sha256 }: Build): string {
    return join(this.versions, `${version}-${sha256.slice(0, 12)}`);
  }

  /** Its executable file. */
  pathOf(build: Build): string {
    return join(this.folderOf(build), 'holdfast-agent');
  }

  /** Removes every fetched file but these. */
  keepOnly(builds: readonly (Build | undefined)[]): void {
    const kept = new Set(builds.flatMap((build) => (build ? [this.folderOf(build)] : [])));
    for (const name of this.names()) if (!kept.has(join(this.versions, name))) rmSync(join(this.versions, name), { recursive: true, force: true });
  }

  private names(): string[] {
    try {
      return readdirSync(this.versions);
    } catch {
      return [];
    }
  }
}
