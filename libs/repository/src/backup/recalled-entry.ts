import type { EntryType, SourceEntry } from '#sources';
import type { ManifestEntry } from '../format/manifest-entry.ts';
import { decodeManifestLine } from '../format/manifest-line.ts';
import type { CacheRecord } from '../state/cache-record.ts';

/** An entry of which nothing has changed since the last manifest: what is seldom asked for is taken from its line when it is. */
export class RecalledEntry implements SourceEntry {
  readonly path: Buffer;
  readonly size: number;
  readonly record: CacheRecord;
  private line: ManifestEntry | undefined;

  constructor(path: Buffer, size: number, record: CacheRecord) {
    this.path = path;
    this.size = size;
    this.record = record;
  }

  private get decoded(): ManifestEntry {
    return (this.line ??= decodeManifestLine(Buffer.concat([this.record.head, Buffer.from('}')])));
  }

  get type(): EntryType {
    return this.record.type ?? this.decoded.type;
  }

  get mode(): number {
    return this.decoded.mode;
  }

  get uid(): number {
    return this.decoded.uid;
  }

  get gid(): number {
    return this.decoded.gid;
  }

  get mtimeNs(): bigint {
    return this.decoded.mtimeNs;
  }

  get ctimeNs(): bigint {
    return this.decoded.ctimeNs;
  }

  get inode(): bigint {
    return this.decoded.inode;
  }

  get device(): bigint {
    return this.decoded.device;
  }

  get links(): number {
    return this.decoded.links;
  }
}
