import { compareManifestPaths } from '#sources';
import type { CallOptions, ObjectInfo, ObjectLister, ObjectReader } from '#storage';
import { addPacks, type DirectoryCache, PackCatalog, requireReachable } from '../catalog/pack-catalog.ts';
import { frameClass } from '../format/limits.ts';
import { decodeManifestChunk } from '../format/manifest.ts';
import { checkPath, type ManifestEntry } from '../format/manifest-entry.ts';
import { objectPrefixes } from '../format/names.ts';
import type { DataSection, ManifestPart } from '../format/sections.ts';
import type { SnapshotHeader } from '../format/snapshot.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { ChunkReader } from '../restore/chunk-reader.ts';
import { readSections, readSnapshot } from '../restore/open-snapshot.ts';

/** What is looked into and with what. Needs the id key, the data key and catalog keys. */
export interface BrowseOptions {
  readonly store: ObjectReader & ObjectLister;
  readonly keys: KeyRing;
  /** Full name of the snapshot object. */
  readonly snapshotObject: string;
  /** Directories of packs read before: opening a second snapshot of a repository then costs a listing and three reads. */
  readonly cache?: DirectoryCache;
  readonly signal?: AbortSignal;
}

/** One row of a directory. */
export interface BrowsedEntry {
  /** Raw bytes, relative to `/`. */
  readonly path: Buffer;
  /** Absent for a directory above the backed-up paths, which the snapshot has no entry for. */
  readonly entry?: ManifestEntry;
}

const slash = 0x2f;
const parentOf = (path: Buffer): Buffer => path.subarray(0, Math.max(0, path.lastIndexOf(slash)));
const below = (directory: Buffer, name: Buffer | number[]): Buffer =>
  directory.length === 0 ? Buffer.from(name) : Buffer.concat([directory, Buffer.from([slash]), Buffer.from(name)]);
const isIn = (directory: Buffer, path: Buffer): boolean =>
  directory.length === 0 || (path.length > directory.length && path[directory.length] === slash && path.subarray(0, directory.length).equals(directory));

/** A snapshot that can be walked by directories without reading all of it. */
export class BrowsableSnapshot {
  readonly header: SnapshotHeader;
  readonly data: DataSection;
  private readonly parts: readonly ManifestPart[];
  private readonly chunks: ChunkReader;
  /** Parts are numbered; the last one read is kept, as the next question is mostly about the same. */
  private kept: { readonly number: number; readonly entries: readonly ManifestEntry[] } | undefined;

  constructor(opened: { readonly header: SnapshotHeader; readonly data: DataSection; readonly parts: readonly ManifestPart[]; readonly chunks: ChunkReader }) {
    this.header = opened.header;
    this.data = opened.data;
    this.parts = opened.parts;
    this.chunks = opened.chunks;
  }

  /** The entry of exactly this path. Reads one part of the manifest. */
  async find(path: Buffer): Promise<ManifestEntry | undefined> {
    checkPath(path);
    return (await this.part(this.partBefore(path))).find((entry) => entry.path.equals(path));
  }

  /**
   * The children of a directory in the order of their names as bytes, `''` being the root. Reads the parts of the manifest that hold
   * them and no others. A directory above the backed-up paths shows only the way down to them.
   */
  async *list(directory: Buffer): AsyncGenerator<BrowsedEntry> {
    if (directory.length > 0) checkPath(directory);
    let found = false;
    for await (const entry of this.from(below(directory, []))) {
      if (!parentOf(entry.path).equals(directory) || (directory.length === 0 && entry.path.includes(slash))) break;
      found = true;
      yield { path: entry.path, entry };
    }
    if (!found) yield* this.impliedChildren(directory);
  }

  /** The first components below `directory` on the way to entries that lie deeper; each costs one search. */
  private async *impliedChildren(directory: Buffer): AsyncGenerator<BrowsedEntry> {
    for (let next = await this.first(below(directory, [0])); next && isIn(directory, next.path);) {
      const rest = next.path.subarray(directory.length === 0 ? 0 : directory.length + 1);
      const cut = rest.indexOf(slash);
      if (cut < 0) return;
      const child = below(directory, rest.subarray(0, cut));
      yield { path: child };
      // Everything below the child sorts before a directory whose name is the child's and a zero byte.
      next = await this.first(Buffer.concat([child, Buffer.from([0, slash])]));
    }
  }

  private async first(path: Buffer): Promise<ManifestEntry | undefined> {
    for await (const entry of this.from(path)) return entry;
    return undefined;
  }

  /** Entries from the first that does not sort before `path`. */
  private async *from(path: Buffer): AsyncGenerator<ManifestEntry> {
    for (let number = this.partBefore(path); number < this.parts.length; number++) {
      for (const entry of await this.part(number)) if (compareManifestPaths(entry.path, path) >= 0) yield entry;
    }
  }

  /** Binary search in the sparse index: the last part whose first path does not sort after `path`. */
  private partBefore(path: Buffer): number {
    let [low, high] = [0, this.data.index.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (compareManifestPaths(this.data.index[middle] as Buffer, path) <= 0) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  private async part(number: number): Promise<readonly ManifestEntry[]> {
    const part = this.parts[number];
    if (!part) return [];
    if (this.kept?.number === number) return this.kept.entries;
    const entries = decodeManifestChunk(await this.chunks.read(frameClass.data, part.manifest));
    this.kept = { number, entries };
    return entries;
  }
}

/** All packs of a repository by a listing. */
export const listPacks = async (store: ObjectLister, options: CallOptions): Promise<ObjectInfo[]> => {
  const packs: ObjectInfo[] = [];
  for await (const info of store.list(objectPrefixes.packs, options)) packs.push(info);
  return packs;
};

/** Opens a snapshot to look into. Throws damage, `key-not-available`, `chunk-missing` and the target's errors. */
export const browseSnapshot = async (options: BrowseOptions): Promise<BrowsableSnapshot> => {
  const { store, keys, cache } = options;
  const call = options.signal ? { signal: options.signal } : {};
  const snapshot = await readSnapshot(store, keys, options.snapshotObject, options.signal);
  const repositoryId = snapshot.header.repository;
  const catalog = new PackCatalog();
  await addPacks(catalog, { reader: store, keys, repositoryId, ...(cache ? { cache } : {}), ...call }, await listPacks(store, call));
  requireReachable(catalog);
  const chunks = new ChunkReader({ reader: store, keys, repositoryId, locations: catalog.locations, chunkIdKey: snapshot.subkeys.chunkId, ...call });
  return new BrowsableSnapshot({ header: snapshot.header, chunks, ...await readSections(snapshot, chunks) });
};
