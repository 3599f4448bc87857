import { fault } from '#kernel';
import type { ObjectLister, ObjectReader } from '#storage';
import { troubleOf } from '../catalog/pack-catalog.ts';
import { objectPrefixes } from '../format/names.ts';
import { readObject } from '../format/read-object.ts';
import { parseSnapshot, type SnapshotHeader } from '../format/snapshot.ts';

/** A snapshot as its plain header describes it; nothing of this is proven. */
export interface ListedSnapshot {
  /** Full name of the object. */
  readonly name: string;
  readonly size: number;
  readonly header: SnapshotHeader;
}

/** All snapshots of a repository, oldest first. Those whose header is damaged, of a newer format or gone since go to `onDamaged`. Needs no key. */
export const listSnapshots = async (
  store: ObjectReader & ObjectLister, onDamaged: (name: string, error: unknown) => void = () => undefined,
): Promise<ListedSnapshot[]> => {
  const found: ListedSnapshot[] = [];
  for await (const { name, size } of store.list(objectPrefixes.snapshots)) {
    try {
      found.push({ name, size, header: parseSnapshot(Buffer.from(await readObject(store, name))).header });
    } catch (error) {
      if (troubleOf(error) === 'unreachable') throw error;
      onDamaged(name, error);
    }
  }
  return found.sort((a, b) => Date.parse(a.header.time) - Date.parse(b.header.time) || (a.name < b.name ? -1 : 1));
};

/** The snapshot that `text` means: `latest`, an id, or the beginning of one. Throws `snapshot-not-found` or `snapshot-ambiguous`. */
export const findSnapshot = (snapshots: readonly ListedSnapshot[], text: string): ListedSnapshot => {
  const latest = snapshots[snapshots.length - 1];
  if (text === 'latest' && latest) return latest;
  const matches = snapshots.filter(({ header }) => header.snapshot.startsWith(text) || header.snapshot.startsWith(`snap_${text}`));
  const exact = matches.find(({ header }) => header.snapshot === text);
  if (exact ?? (matches.length === 1 && matches[0])) return (exact ?? matches[0]) as ListedSnapshot;
  if (snapshots.length === 0) throw fault('not-found', 'snapshot-not-found', 'The repository holds no snapshot yet; make one with: holdfast repo backup');
  if (matches.length > 1) throw fault('validation', 'snapshot-ambiguous', `${matches.length} snapshots begin with ${text}; give more of the id`);
  throw fault('not-found', 'snapshot-not-found', `There is no snapshot ${text}; list them with: holdfast repo snapshots`);
};

/** The names of all packs of a repository. */
export async function* packNames(store: ObjectLister): AsyncGenerator<string> {
  for await (const { name } of store.list(objectPrefixes.packs)) yield name;
}
