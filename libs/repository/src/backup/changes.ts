import { chunkIdBytes } from '../format/chunk-id.ts';
import { decodeManifestLine } from '../format/manifest-line.ts';
import { recordBytes, referenceKind } from '../format/refs.ts';
import { type CacheRecord, ownerTag } from '../state/cache-record.ts';
import type { FileRecord } from '../state/file-record.ts';
import type { Leftovers } from '../state/journal.ts';
import type { KnownLookup } from '../state/known-lookup.ts';
import type { ManifestCache } from '../state/manifest-cache.ts';
import type { OwnerNames, QuickFacts, SourceEntry } from '#sources';
import type { ChangeFact } from './backup-options.ts';
import { RecalledEntry } from './recalled-entry.ts';

/** Where earlier knowledge about files comes from. */
export interface EarlierFiles {
  readonly cache: ManifestCache | undefined;
  readonly leftovers: Leftovers;
  readonly known: KnownLookup;
  /** Nothing was forgotten or condemned since: every reference is stored, without looking each up. */
  readonly trusted: boolean;
  readonly facts: readonly ChangeFact[];
}

type Known = Pick<FileRecord, 'head' | 'references'>;

/** Finds out which files need not be read. */
export class ChangeDetector {
  private readonly earlier: EarlierFiles;
  /** What the cache has of entries that were asked about before their turn: the cache is read once, in order. */
  private readonly looked = new WeakMap<SourceEntry, { readonly record: CacheRecord | undefined }>();
  /** What the cache has of entries that were asked about by their facts, and had changed. */
  private readonly missed = new Map<string, CacheRecord>();
  private readonly tags = new Map<number, number>();

  constructor(earlier: EarlierFiles) {
    this.earlier = earlier;
  }

  /** Whether `recall` may be asked: it needs a cache, and trusts the facts only all together. */
  get recalls(): boolean {
    const { cache, facts } = this.earlier;
    return cache !== undefined && facts.length === 3;
  }

  /** The entry as it is in the last manifest, when nothing of it has changed and all its chunks are stored. */
  recall(path: Buffer, facts: QuickFacts, owner: OwnerNames): RecalledEntry | undefined {
    const record = this.earlier.cache?.find(path);
    if (!record) return undefined;
    if (record.holds(facts, this.tagOf(facts, owner)) && this.stored(record)) {
      return new RecalledEntry(path, record.type === 'file' ? facts.size : 0, record);
    }
    this.missed.set(path.toString('latin1'), record);
    return undefined;
  }

  private tagOf({ uid, gid }: QuickFacts, { user, group }: OwnerNames): number {
    const key = uid * 0x1_0000_0000 + gid;
    const known = this.tags.get(key);
    if (known !== undefined) return known;
    const tag = ownerTag(user, group);
    this.tags.set(key, tag);
    return tag;
  }

  private recordOf(path: Buffer): CacheRecord | undefined {
    if (this.missed.size > 0) {
      const key = path.toString('latin1');
      const missed = this.missed.get(key);
      this.missed.delete(key);
      if (missed) return missed;
    }
    return this.earlier.cache?.find(path);
  }

  /** False when nothing of the entry changed since the last manifest, which says that it had no extended attributes. */
  needsXattrs(entry: SourceEntry, head: Buffer): boolean {
    if (entry instanceof RecalledEntry) return false;
    const record = this.recordOf(entry.path);
    this.looked.set(entry, { record });
    return !record?.head.equals(head);
  }

  /** The references of a file that has not changed since it was last read and all of whose chunks are stored. */
  unchanged(entry: SourceEntry, head: Buffer): Buffer | undefined {
    const { leftovers } = this.earlier;
    const looked = this.looked.get(entry);
    const cached = looked ? looked.record : this.recordOf(entry.path);
    if (cached && this.holds(cached, entry, head)) return cached.references;
    if (leftovers.files.size === 0) return undefined;
    const journalled = leftovers.files.get(entry.path.toString('latin1'));
    return journalled && this.holds(journalled, entry, head) ? journalled.references : undefined;
  }

  private holds(record: Known, entry: SourceEntry, head: Buffer): boolean {
    return (record.head.equals(head) || this.sameFacts(record, entry)) && this.stored(record);
  }

  private sameFacts(record: Known, entry: SourceEntry): boolean {
    const earlier = decodeManifestLine(Buffer.concat([record.head, Buffer.from('}')]));
    if (earlier.type !== entry.type || earlier.size !== entry.size) return false;
    const { facts } = this.earlier;
    return (!facts.includes('mtime') || earlier.mtimeNs === entry.mtimeNs) && (!facts.includes('ctime') || earlier.ctimeNs === entry.ctimeNs) &&
      (!facts.includes('inode') || earlier.inode === entry.inode);
  }

  /** Chunks below a list cannot be looked up without reading it: such a file is read again. */
  private stored(record: Known): boolean {
    if (this.earlier.trusted) return true;
    const { references } = record;
    for (let at = 0; at < references.length; at += recordBytes) {
      if (references[at] !== referenceKind.chunk || !this.earlier.known.has(references.subarray(at + 1, at + 1 + chunkIdBytes))) return false;
    }
    return true;
  }
}
