import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chunkIdBytes } from '../format/chunk-id.ts';
import type { ManifestPart } from '../format/sections.ts';
import { readRecords, RecordWriter } from './record-file.ts';
import { temporaryPath } from './temporary-file.ts';

const fileOf = (directory: string): string => join(directory, 'manifest-parts');

/** The parts that the manifest of a cache was cut into, by the place of their first entry; none when they are not of that cache. */
export const readManifestParts = (directory: string, snapshot: string): ReadonlyMap<number, ManifestPart> => {
  const parts = new Map<number, ManifestPart>();
  if (!existsSync(fileOf(directory))) return parts;
  let first = 0;
  let begun = false;
  for (const record of readRecords(fileOf(directory))) {
    if (!begun && record.toString('utf8') !== snapshot) return parts;
    if (begun && record.length === 2 * chunkIdBytes + 8) {
      const entries = record.readUInt32LE(2 * chunkIdBytes);
      const manifest = Buffer.from(record.subarray(0, chunkIdBytes));
      const refs = Buffer.from(record.subarray(chunkIdBytes, 2 * chunkIdBytes));
      parts.set(first, { manifest, refs, entries, references: record.readUInt32LE(2 * chunkIdBytes + 4) });
      first += entries;
    }
    begun = true;
  }
  return parts;
};

/** To be called before a cache takes the place of another, with the parts of the new one; the result puts them in their place. */
export const replaceManifestParts = (directory: string, snapshot: string, parts: readonly ManifestPart[]): (() => void) => {
  const temporary = temporaryPath(directory, 'manifest-parts');
  const writer = new RecordWriter(temporary);
  writer.append(Buffer.from(snapshot));
  for (const part of parts) {
    const counts = Buffer.alloc(8);
    counts.writeUInt32LE(part.entries, 0);
    counts.writeUInt32LE(part.references, 4);
    writer.append(part.manifest, part.refs, counts);
  }
  writer.close();
  rmSync(fileOf(directory), { force: true });
  return () => renameSync(temporary, fileOf(directory));
};
