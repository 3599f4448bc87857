import { addPacks, type DirectoryCache, PackCatalog, requireReachable } from '../catalog/pack-catalog.ts';
import { chunksOf, readCatalogView } from '../catalog/snapshot-closure.ts';
import type { KeyClass } from '../format/keys.ts';
import { frameClass } from '../format/limits.ts';
import { parseSnapshot } from '../format/snapshot.ts';
import { type KeyRing, sealKeys, type UnwrappedKey } from '../keys/key-ring.ts';
import { ChunkReader } from '../restore/chunk-reader.ts';
import { readWhole } from '../restore/open-snapshot.ts';
import { type BrowseOptions, listPacks } from './browse-snapshot.ts';

/** What somebody needs to restore one snapshot, and nothing beyond it. */
export interface RestoreNeeds {
  /** The id key, and the data and catalog keys of this snapshot's chunks. */
  readonly keys: readonly UnwrappedKey[];
  /** Names of the packs that hold its chunks, with their sizes: the objects to grant. */
  readonly packs: readonly { readonly name: string; readonly size: number }[];
}

/**
 * The keys and packs of one snapshot, all copies of each chunk counted in, so that a damaged one can be passed over. Other snapshots
 * of the repository stay closed to who gets them, but for what they share. Throws as `browseSnapshot` does.
 */
export const restoreNeeds = async (options: BrowseOptions & { readonly cache?: DirectoryCache }): Promise<RestoreNeeds> => {
  const { store, keys, cache, signal } = options;
  const call = signal ? { signal } : {};
  const sealed = parseSnapshot(await readWhole(store, options.snapshotObject, signal));
  const { header } = sealed;
  const catalog = new PackCatalog();
  await addPacks(catalog, { reader: store, keys, repositoryId: header.repository, ...(cache ? { cache } : {}), ...call }, await listPacks(store, call));
  requireReachable(catalog);
  const { locations } = catalog;
  const chunks = new ChunkReader({ reader: store, keys, repositoryId: header.repository, locations, ...call });
  const wanted = new Set([`id ${header.idKey}`, `data ${header.dataKey}`, `catalog ${header.catalogKey}`]);
  const packs = new Set<string>();
  for await (const needed of chunksOf(await readCatalogView(sealed, keys, chunks), chunks)) {
    for (const copy of locations.copies(needed.class, needed.id)) {
      const frame = locations.frames[locations.at(copy).frame];
      if (!frame) continue;
      packs.add(frame.pack);
      wanted.add(`${frame.class === frameClass.data ? 'data' : 'catalog'} ${frame.keyId}`);
    }
  }
  const used = catalog.packs.filter((pack) => packs.has(pack.name));
  for (const pack of used) wanted.add(`catalog ${pack.catalogKeyId}`);
  return { keys: await unwrapAll(keys, wanted), packs: used.map(({ name, size }) => ({ name, size })) };
};

const unwrapAll = (keys: KeyRing, wanted: ReadonlySet<string>): Promise<UnwrappedKey[]> => Promise.all([...wanted].map(async (name) => {
  const [keyClass, keyId = ''] = name.split(' ') as [KeyClass, string];
  return { class: keyClass, key: await keys.get(keyClass, keyId) };
}));

/** `restoreNeeds`, its keys sealed to one age recipient: what a master hands to a restoring agent. */
export const sealRestoreNeeds = async (options: BrowseOptions, recipient: string): Promise<{ readonly sealedKeys: Buffer; readonly packs: RestoreNeeds['packs'] }> => {
  const needs = await restoreNeeds(options);
  return { sealedKeys: await sealKeys(needs.keys, recipient), packs: needs.packs };
};
