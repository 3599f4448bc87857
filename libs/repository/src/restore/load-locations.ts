import { isObjectNotFound, type ObjectReader } from '#storage';
import { isDamage } from '../format/damage.ts';
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
  /** A pack that is missing or damaged: its chunks may still lie in another. */
  readonly onDamagedPack: (name: string, error: unknown) => void;
}

const readOne = async (source: PackSource, name: string) => {
  try {
    const info = await source.reader.head(name, source.signal ? { signal: source.signal } : {});
    if (!info) return undefined;
    const pack = { name, size: info.size, ...(source.signal ? { signal: source.signal } : {}) };
    return await readPackDirectory(source.reader, source.keys, source.repositoryId, pack);
  } catch (error) {
    if (!isDamage(error) && !isObjectNotFound(error)) throw error;
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
