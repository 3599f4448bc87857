import { fault, isAppError, messageOf } from '#kernel';
import { isObjectNotFound, type ObjectInfo, type ObjectReader } from '#storage';
import { isDamage } from '../format/damage.ts';
import { type PackDirectory, readPackDirectory } from '../format/read-pack-directory.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { ChunkLocations } from '../restore/chunk-locations.ts';

/** What is wrong with an object: it is not there, its bytes are wrong, or it could not be fetched, which proves nothing. */
export type TroubleKind = 'missing' | 'damaged' | 'unreachable';

/** Tells damage from a failed fetch and from a key that nobody gave. */
export const troubleOf = (error: unknown): TroubleKind => {
  if (isObjectNotFound(error)) return 'missing';
  const code = isAppError(error) ? error.code : '';
  if (code === 'chunk-missing' || code === 'key-not-available') return 'missing';
  return isDamage(error) || code === 'object-truncated' || code === 'format-unknown' || code === 'feature-unknown' ? 'damaged' : 'unreachable';
};

/** A pack whose directory could not be read. */
export interface PackTrouble {
  readonly name: string;
  readonly error: unknown;
}

/** A pack whose directory was read. */
export interface CataloguedPack {
  readonly name: string;
  readonly size: number;
  readonly catalogKeyId: string;
  /** Numbers of its frames in `locations`. */
  readonly frames: { readonly from: number; readonly to: number };
  /** Numbers of its chunks in `locations`. */
  readonly chunks: { readonly from: number; readonly to: number };
}

/** Where every chunk of a repository lies, by the directories of its packs. */
export class PackCatalog {
  readonly locations = new ChunkLocations();
  readonly packs: CataloguedPack[] = [];
  readonly troubles: PackTrouble[] = [];
  private readonly byName = new Map<string, CataloguedPack>();

  add(directory: PackDirectory): void {
    if (this.byName.has(directory.name)) return;
    const [frame, chunk] = [this.locations.frames.length, this.locations.size];
    this.locations.addPack(directory);
    const pack: CataloguedPack = {
      name: directory.name, size: directory.size, catalogKeyId: directory.catalogKeyId,
      frames: { from: frame, to: this.locations.frames.length }, chunks: { from: chunk, to: this.locations.size },
    };
    this.packs.push(pack);
    this.byName.set(pack.name, pack);
  }

  pack(name: string): CataloguedPack | undefined {
    return this.byName.get(name);
  }
}

/** How directories are read. */
export interface CatalogSource {
  readonly reader: ObjectReader;
  readonly keys: KeyRing;
  readonly repositoryId: string;
  readonly signal?: AbortSignal;
  /** Directories read before, by pack name: packs never change. */
  readonly cache?: DirectoryCache;
}

/** Directories that are being read, or wait for one before them. */
const atOnce = 8;

/** Directories by pack name. */
export interface DirectoryCache {
  get(name: string): PackDirectory | undefined;
  set(name: string, directory: PackDirectory): void;
}

/**
 * Reads the directories of packs, eight at a time, and adds them in the given order; needs their catalog keys. What cannot be read
 * is put into `troubles`, whether damaged, missing or out of reach: the caller decides what that means.
 */
export const addPacks = async (catalog: PackCatalog, source: CatalogSource, packs: readonly ObjectInfo[]): Promise<void> => {
  const read = async ({ name, size }: ObjectInfo): Promise<PackDirectory> => {
    const known = source.cache?.get(name);
    if (known) return known;
    const pack = { name, size, ...(source.signal ? { signal: source.signal } : {}) };
    const directory = await readPackDirectory(source.reader, source.keys, source.repositoryId, pack);
    source.cache?.set(name, directory);
    return directory;
  };
  const running: { readonly name: string; readonly reading: Promise<PackDirectory> }[] = [];
  const takeFirst = async (): Promise<void> => {
    const first = running.shift();
    if (!first) return;
    try {
      catalog.add(await first.reading);
    } catch (error) {
      catalog.troubles.push({ name: first.name, error });
    }
  };
  for (const pack of packs) {
    source.signal?.throwIfAborted();
    const reading = read(pack);
    reading.catch(() => undefined);
    running.push({ name: pack.name, reading });
    // Directories of many small chunks are large until they are added: few may wait for an earlier one.
    if (running.length >= atOnce) await takeFirst();
  }
  while (running.length > 0) await takeFirst();
  source.signal?.throwIfAborted();
};

/** Throws the first failed fetch as it is: a decision must not rest on what could not be read. */
export const requireReachable = (catalog: PackCatalog): void => {
  const failed = catalog.troubles.find(({ error }) => troubleOf(error) === 'unreachable');
  if (!failed) return;
  if (isAppError(failed.error)) throw failed.error;
  throw fault('internal', 'storage-failed', `The directory of ${failed.name} could not be read: ${messageOf(failed.error)}`, { cause: failed.error });
};
