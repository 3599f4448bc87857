import { fault, messageOf } from '#kernel';
import type { PackCatalog } from '../catalog/pack-catalog.ts';
import { chunksOf, readCatalogView } from '../catalog/snapshot-closure.ts';
import { parseSnapshot } from '../format/snapshot.ts';
import { ChunkReader } from '../restore/chunk-reader.ts';
import { readWhole } from '../restore/open-snapshot.ts';
import type { PruneOptions } from './prune-options.ts';

/** Which copies of chunks the snapshots need: one byte for each copy in the catalog, 1 for the copy that stays. */
export interface Mark {
  readonly chosen: Uint8Array;
  /** Plain bytes of the needed chunks, each once. */
  readonly livePlain: number;
}

/**
 * Of the copies of a needed chunk the one of the earliest attempt stays; among equals the first in the catalog, whose order is that of the
 * names: two prunes that look at the same packs must choose alike, as one that is believed dead may still delete what it did not choose.
 */
const choose = (catalog: PackCatalog, copies: readonly number[], rank: (keyId: string) => number): number | undefined => {
  let best: number | undefined;
  let bestRank = Infinity;
  for (const copy of copies) {
    const own = rank(catalog.locations.frames[catalog.locations.at(copy).frame]?.keyId ?? '');
    if (best === undefined || own < bestRank) [best, bestRank] = [copy, own];
  }
  return best;
};

/**
 * Marks what these snapshot objects need. Anything that cannot be read, and anything needed that is not there, ends the prune
 * (`prune-unsafe`, or the target's error): to delete on half of the truth would be to lose the rest.
 */
export const markLive = async (
  options: PruneOptions, catalog: PackCatalog, snapshots: readonly string[], rank: (keyId: string) => number,
): Promise<Mark> => {
  const { store, keys, signal } = options;
  const { locations } = catalog;
  const chosen = new Uint8Array(locations.size);
  let livePlain = 0;
  for (const name of snapshots) {
    try {
      const sealed = parseSnapshot(await readWhole(store, name, signal));
      const chunks = new ChunkReader({ reader: store, keys, repositoryId: sealed.header.repository, locations, ...(signal ? { signal } : {}) });
      const view = await readCatalogView(sealed, keys, chunks);
      for await (const needed of chunksOf(view, chunks)) {
        const copy = choose(catalog, locations.copies(needed.class, needed.id), rank);
        if (copy === undefined) throw fault('refused', 'chunk-missing', `No readable pack holds the chunk ${needed.id.toString('hex')}`);
        if (chosen[copy] === 0) livePlain += locations.at(copy).length;
        chosen[copy] = 1;
      }
    } catch (error) {
      signal?.throwIfAborted();
      const retryable = (error as { retryable?: boolean }).retryable ?? false;
      throw retryable ? error : fault('refused', 'prune-unsafe', `Nothing was deleted: ${name} cannot be followed to all it needs (${messageOf(error)}); verify the repository`, { cause: error });
    }
  }
  return { chosen, livePlain };
};
