import type { ObjectReader } from '#storage';
import { troubleOf } from '../catalog/pack-catalog.ts';
import { readPackDirectory } from '../format/read-pack-directory.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { ChunkLocations } from './chunk-locations.ts';

/** Packs whose directories are read at the same time. */
const atOnce = 8;

/** Where to read directories from. */
export interface PackSource {
  readonly reader: ObjectReader;
  readonly keys: KeyRing;
  readonly repositoryId: string;
  readonly packs: AsyncIterable<string> | Iterable<string>;
  readonly signal?: AbortSignal;
  /** A pack that is missing, damaged or under a key that cannot be had: its chunks may still lie in another. */
  readonly onDamagedPack: (name: string, error: unknown) => void;
}

const readOne = async (source: PackSource, name: string) => {
  try {
    const info = await source.reader.head(name, source.signal ? { signal: source.signal } : {});
    if (!info) return undefined;
    const pack = { name, size: info.size, ...(source.signal ? { signal: source.signal } : {}) };
    return await readPackDirectory(source.reader, source.keys, source.repositoryId, pack);
  } catch (error) {
    // Also where its key cannot be had: who left a pack under another key than those of this snapshot must not keep it from being restored.
    if (troubleOf(error) === 'unreachable') throw error;
    source.onDamagedPack(name, error);
    return undefined;
  }
};

/** Reads the directories of all packs, several at a time, in the packs' order. */
export const loadLocations = async (source: PackSource): Promise<ChunkLocations> => {
  const locations = new ChunkLocations();
  const running: ReturnType<typeof readOne>[] = [];
  const takeFirst = async (): Promise<void> => {
    const directory = await running.shift();
    if (directory) locations.addPack(directory);
  };
  for await (const name of source.packs) {
    source.signal?.throwIfAborted();
    const reading = readOne(source, name);
    reading.catch(() => undefined);
    running.push(reading);
    if (running.length >= atOnce) await takeFirst();
  }
  while (running.length > 0) await takeFirst();
  return locations;
};
