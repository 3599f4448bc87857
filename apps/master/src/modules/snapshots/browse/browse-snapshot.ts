import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { fault, rfc3339 } from '#kernel';
import { type BrowsableSnapshot, type BrowsedEntry, browseSnapshot, identityKeys, printablePath } from '#repository';
import { KEYS } from '../../../platform/index.ts';
import { RecentDirectories, TARGET_ACCESS, type TargetAccess } from '../../runs/index.ts';
import type { EntryAnswer, EntryPage } from '../http/snapshot.dto.ts';

/** Where a snapshot lies. */
export interface SnapshotPlace {
  readonly target: string;
  readonly node: string;
  readonly object: string;
}

export interface BrowseRequest {
  /** From `/`. */
  readonly path: string;
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

const slash = 0x2f;
const invalidCursor = (): Error => fault('validation', 'invalid-cursor', 'Send the nextCursor of the page before unchanged, with the same path');

const nothingThere = (): Error => fault('not-found', 'directory-not-found', 'The snapshot has nothing at this path; list the directory above it');

/** The directory's path as the manifest has it: relative to `/`, no slash at either end. No manifest has `.` or `..` or an empty part in it. */
const directoryOf = (path: string): Buffer => {
  const relative = path.replace(/^\/+/, '').replace(/\/+$/, '');
  if (relative !== '' && (relative.includes('\0') || relative.split('/').some((part) => ['', '.', '..'].includes(part)))) throw nothingThere();
  return Buffer.from(relative);
};

const parentOf = (path: Buffer): Buffer => path.subarray(0, Math.max(0, path.lastIndexOf(slash)));

const answerOf = ({ path, entry }: BrowsedEntry): EntryAnswer => {
  const named = { path: `/${printablePath(path)}`, name: printablePath(path.subarray(path.lastIndexOf(slash) + 1)) };
  if (!entry) return { ...named, type: 'directory', size: 0 };
  const { type, size, mtimeNs, mode, user, group, linkTarget } = entry;
  return {
    ...named, type, size, mode: mode.toString(8).padStart(4, '0'), modified: rfc3339(Number(mtimeNs / 1_000_000n)),
    ...(user === undefined ? {} : { user }), ...(group === undefined ? {} : { group }),
    ...(linkTarget === undefined ? {} : { linkTarget: printablePath(linkTarget) }),
  };
};

const pageOf = (found: readonly BrowsedEntry[], limit: number): EntryPage => {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(answerOf), ...(found.length > limit && last ? { nextCursor: last.path.toString('base64url') } : {}) };
};

/** Lists directories of snapshots with the installation's data identity, reading only the parts of the manifest that are needed. */
@Injectable()
export class BrowseSnapshot {
  constructor(
    @Inject(TARGET_ACCESS) private readonly targets: TargetAccess,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    private readonly directories: RecentDirectories,
  ) {}

  /** One page of the entries of a directory, in byte order of their names. Throws `key-not-available`, `directory-not-found`, damage. */
  async entries({ target, node, object }: SnapshotPlace, { path, limit, cursor }: BrowseRequest): Promise<EntryPage> {
    const { identity } = this.keys.data;
    if (identity === undefined) {
      throw fault('refused', 'key-not-available', 'The masters may not read backups of this installation; browse with: holdfast repo ls --identity FILE');
    }
    const directory = directoryOf(path);
    const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url');
    if (after && !parentOf(after).equals(directory)) throw invalidCursor();
    const { store } = await this.targets.open(target, node);
    const snapshot = await browseSnapshot({ store, keys: identityKeys(store, [identity]), snapshotObject: object, cache: this.directories });
    return this.page(snapshot, directory, { limit, after });
  }

  private async page(snapshot: BrowsableSnapshot, directory: Buffer, { limit, after }: { limit: number; after: Buffer | undefined }): Promise<EntryPage> {
    const found: BrowsedEntry[] = [];
    for await (const child of snapshot.list(directory)) {
      if (after && child.path.compare(after) <= 0) continue;
      found.push(child);
      if (found.length > limit) break;
    }
    return found.length > 0 || after || directory.length === 0 ? pageOf(found, limit) : this.single(snapshot, directory);
  }

  /** Not a directory with something in it: an empty one, a file, or nothing. */
  private async single(snapshot: BrowsableSnapshot, path: Buffer): Promise<EntryPage> {
    const entry = await snapshot.find(path);
    if (!entry) throw nothingThere();
    return { items: entry.type === 'directory' ? [] : [answerOf({ path, entry })] };
  }
}
