import { chunkIdBytes } from '../format/chunk-id.ts';
import { decodeManifestLine } from '../format/manifest-line.ts';
import { recordBytes, referenceKind } from '../format/refs.ts';
import type { FileRecord } from '../state/file-record.ts';
import type { Leftovers } from '../state/journal.ts';
import type { KnownLookup } from '../state/known-lookup.ts';
import type { ManifestCache } from '../state/manifest-cache.ts';
import type { SourceEntry } from '#sources';
import type { ChangeFact } from './backup-options.ts';

/** Where earlier knowledge about files comes from. */
export interface EarlierFiles {
  readonly cache: ManifestCache | undefined;
  readonly leftovers: Leftovers;
  readonly known: KnownLookup;
  /** Nothing was forgotten or condemned since: every reference is stored, without looking each up. */
  readonly trusted: boolean;
  readonly facts: readonly ChangeFact[];
}

/** Finds out which files need not be read. */
export class ChangeDetector {
  private readonly earlier: EarlierFiles;
  /** What the cache has of entries that were asked about before their turn: the cache is read once, in order. */
  private readonly looked = new WeakMap<SourceEntry, { readonly record: FileRecord | undefined }>();

  constructor(earlier: EarlierFiles) {
    this.earlier = earlier;
  }

  /** False when nothing of the entry changed since the last manifest, which says that it had no extended attributes. */
  needsXattrs(entry: SourceEntry, head: Buffer): boolean {
    const record = this.earlier.cache?.find(entry.path);
    this.looked.set(entry, { record });
    return !record?.head.equals(head);
  }

  /** The references of a file that has not changed since it was last read and all of whose chunks are stored. */
  unchanged(entry: SourceEntry, head: Buffer): Buffer | undefined {
    const { cache, leftovers } = this.earlier;
    const looked = this.looked.get(entry);
    const cached = looked ? looked.record : cache?.find(entry.path);
    if (cached && this.holds(cached, entry, head)) return cached.references;
    if (leftovers.files.size === 0) return undefined;
    const journalled = leftovers.files.get(entry.path.toString('latin1'));
    return journalled && this.holds(journalled, entry, head) ? journalled.references : undefined;
  }

  private holds(record: FileRecord, entry: SourceEntry, head: Buffer): boolean {
    return (record.head.equals(head) || this.sameFacts(record, entry)) && this.stored(record.references);
  }

  private sameFacts(record: FileRecord, entry: SourceEntry): boolean {
    const earlier = decodeManifestLine(Buffer.concat([record.head, Buffer.from('}')]));
    if (earlier.type !== entry.type || earlier.size !== entry.size) return false;
    const { facts } = this.earlier;
    return (!facts.includes('mtime') || earlier.mtimeNs === entry.mtimeNs) && (!facts.includes('ctime') || earlier.ctimeNs === entry.ctimeNs) &&
      (!facts.includes('inode') || earlier.inode === entry.inode);
  }

  /** Chunks below a list cannot be looked up without reading it: such a file is read again. */
  private stored(references: Buffer): boolean {
    if (this.earlier.trusted) return true;
    for (let at = 0; at < references.length; at += recordBytes) {
      if (references[at] !== referenceKind.chunk || !this.earlier.known.has(references.subarray(at + 1, at + 1 + chunkIdBytes))) return false;
    }
    return true;
  }
}
