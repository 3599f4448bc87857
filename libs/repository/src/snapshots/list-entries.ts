import type { ObjectReader } from '#storage';
import type { ManifestEntry } from '../format/manifest-entry.ts';
import type { DataSection, ManifestPart } from '../format/sections.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { ChunkReader } from '../restore/chunk-reader.ts';
import { loadLocations } from '../restore/load-locations.ts';
import { isInside, partsOf, readPart } from '../restore/manifest-reader.ts';
import { readSections, readSnapshot } from '../restore/open-snapshot.ts';

/** A snapshot that is to be looked into. */
export interface EntriesOptions {
  readonly reader: ObjectReader;
  readonly keys: KeyRing;
  readonly snapshotObject: string;
  readonly packs: AsyncIterable<string> | Iterable<string>;
  /** Only this entry and what is below it: raw bytes, relative to `/`. */
  readonly path?: Uint8Array;
}

/** What a snapshot is of, and its entries in the manifest's order. */
export interface SnapshotContents {
  readonly data: DataSection;
  readonly entries: AsyncGenerator<readonly ManifestEntry[]>;
}

/** Opens a snapshot and reads its entries part by part, only the parts that are needed. Throws damage as it is met. */
export const snapshotContents = async (options: EntriesOptions): Promise<SnapshotContents> => {
  const { reader, keys } = options;
  const snapshot = await readSnapshot(reader, keys, options.snapshotObject);
  const repositoryId = snapshot.header.repository;
  const locations = await loadLocations({ reader, keys, repositoryId, packs: options.packs, onDamagedPack: () => undefined });
  const chunks = new ChunkReader({ reader, keys, repositoryId, locations, chunkIdKey: snapshot.subkeys.chunkId });
  const { parts, data } = await readSections(snapshot, chunks);
  const path = options.path && Buffer.from(options.path);
  const entries = async function* (): AsyncGenerator<readonly ManifestEntry[]> {
    for (const number of partsOf(data.index, path)) {
      const read = (await readPart(parts[number] as ManifestPart, chunks)).map(({ entry }) => entry);
      yield path ? read.filter((entry) => isInside(path, entry.path)) : read;
    }
  };
  return { data, entries: entries() };
};
