import { compareManifestPaths } from '#sources';
import { damaged } from '../format/damage.ts';
import { frameClass } from '../format/limits.ts';
import { decodeManifestChunk } from '../format/manifest.ts';
import type { ManifestEntry } from '../format/manifest-entry.ts';
import { decodeReferences, type Reference } from '../format/refs.ts';
import type { ManifestPart } from '../format/sections.ts';
import type { ChunkReader } from './chunk-reader.ts';

/** An entry with the references of its content. */
export interface EntryWithReferences {
  readonly entry: ManifestEntry;
  readonly references: readonly Reference[];
}

/** Reads one part of a manifest together with its refs. Throws damage when the two do not agree. */
export const readPart = async (part: ManifestPart, chunks: ChunkReader, after?: Buffer): Promise<EntryWithReferences[]> => {
  const entries = decodeManifestChunk(await chunks.read(frameClass.data, part.manifest), after);
  const records = part.references === 0 ? [] : decodeReferences(await chunks.read(frameClass.catalog, part.refs));
  const wanted = entries.reduce((sum, entry) => sum + entry.references, 0);
  if (entries.length !== part.entries || records.length !== part.references || wanted !== records.length) {
    throw damaged('refs-damaged', 'A manifest and its references do not have the counts that the snapshot says');
  }
  let next = 0;
  return entries.map((entry) => {
    const references = records.slice(next, (next += entry.references));
    const total = references.reduce((sum, reference) => sum + reference.length, 0);
    if (total !== (entry.type === 'file' || entry.type === 'stream' ? entry.size : 0)) {
      throw damaged('refs-damaged', 'The references of an entry do not add up to its size');
    }
    return { entry, references };
  });
};

/** True for `path` itself and what is below it. */
export const isInside = (path: Buffer, entry: Buffer): boolean =>
  entry.length >= path.length && entry.compare(path, 0, path.length, 0, path.length) === 0 &&
  (entry.length === path.length || entry[path.length] === 0x2f);

/** The numbers of the parts that may hold `path` or something below it, by the sparse index; all without a path. */
export const partsOf = (index: readonly Buffer[], path: Buffer | undefined): number[] => {
  const all = index.map((_, number) => number);
  if (!path) return all;
  const lowest = Buffer.concat([path, Buffer.from([0x2f, 0])]);
  const after = (entry: Buffer): boolean => !isInside(path, entry) && compareManifestPaths(entry, lowest) > 0;
  return all.filter((number) => {
    const first = index[number] as Buffer;
    const next = index[number + 1];
    const holdsEntry = compareManifestPaths(first, path) <= 0 && (!next || compareManifestPaths(next, path) > 0);
    const holdsChildren = !after(first) && (!next || compareManifestPaths(next, lowest) > 0);
    return holdsEntry || holdsChildren;
  });
};
