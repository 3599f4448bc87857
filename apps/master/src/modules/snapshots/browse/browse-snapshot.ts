import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { fault, rfc3339 } from '#kernel';
import { type ManifestEntry, identityKeys, packNames, printablePath, snapshotContents } from '#repository';
import { KEYS } from '../../../platform/index.ts';
import { TARGET_ACCESS, type TargetAccess } from '../../runs/index.ts';
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

/** The directory's path as the manifest has it: relative to `/`, no slash at either end. */
const directoryOf = (path: string): Buffer => Buffer.from(path.replace(/^\/+/, '').replace(/\/+$/, ''));

const parentOf = (path: Buffer): Buffer => path.subarray(0, Math.max(0, path.lastIndexOf(slash)));

const answerOf = (entry: ManifestEntry): EntryAnswer => {
  const { path, type, size, mtimeNs, mode, user, group, linkTarget } = entry;
  return {
    path: `/${printablePath(path)}`, name: printablePath(path.subarray(path.lastIndexOf(slash) + 1)), type, size, mode: mode.toString(8).padStart(4, '0'),
    modified: rfc3339(Number(mtimeNs / 1_000_000n)),
    ...(user === undefined ? {} : { user }), ...(group === undefined ? {} : { group }),
    ...(linkTarget === undefined ? {} : { linkTarget: printablePath(linkTarget) }),
  };
};

/** Lists directories of snapshots with the installation's data identity, reading only the parts of the manifest that are needed. */
@Injectable()
export class BrowseSnapshot {
  constructor(@Inject(TARGET_ACCESS) private readonly targets: TargetAccess, @Inject(KEYS) private readonly keys: InstallationKeys) {}

  /** One page of the entries of a directory, in byte order of their names. Throws `key-not-available`, `directory-not-found`, damage. */
  async entries({ target, node, object }: SnapshotPlace, { path, limit, cursor }: BrowseRequest): Promise<EntryPage> {
    const { identity } = this.keys.data;
    if (identity === undefined) {
      throw fault('refused', 'key-not-available', 'The masters may not read backups of this installation; browse with: holdfast repo ls --identity FILE');
    }
    const directory = directoryOf(path);
    const { store } = await this.targets.open(target, node);
    const contents = await snapshotContents({
      reader: store, keys: identityKeys(store, [identity]), snapshotObject: object, packs: packNames(store), ...(directory.length > 0 ? { path: directory } : {}),
    });
    const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url');
    if (after && !parentOf(after).equals(directory)) throw invalidCursor();
    return this.page(contents.entries, directory, { limit, after });
  }

  /** The children of one directory are one range of the manifest: reading ends behind it. */
  private async page(
    parts: AsyncIterable<readonly ManifestEntry[]>, directory: Buffer, { limit, after }: { limit: number; after: Buffer | undefined },
  ): Promise<EntryPage> {
    const found: ManifestEntry[] = [];
    let self: ManifestEntry | undefined;
    for await (const part of parts) {
      const own = part.filter((entry) => parentOf(entry.path).equals(directory));
      found.push(...own.filter((entry) => !after || entry.path.compare(after) > 0));
      self ??= part.find((entry) => directory.length > 0 && entry.path.equals(directory));
      const last = part.at(-1);
      const behind = found.length > 0 && last !== undefined && own.at(-1) !== last;
      if (found.length > limit || behind) break;
    }
    const nothing = found.length === 0 && after === undefined && directory.length > 0;
    return nothing ? this.single(self) : this.answer(found, limit);
  }

  private single(self: ManifestEntry | undefined): EntryPage {
    if (!self) throw fault('not-found', 'directory-not-found', 'The snapshot has nothing at this path; list the directory above it');
    return { items: self.type === 'directory' ? [] : [answerOf(self)] };
  }

  private answer(found: readonly ManifestEntry[], limit: number): EntryPage {
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return found.length > limit && last ? { items: items.map(answerOf), nextCursor: last.path.toString('base64url') } : { items: items.map(answerOf) };
  }
}
