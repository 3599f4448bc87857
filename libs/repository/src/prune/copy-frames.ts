import { createHash } from 'node:crypto';
import type { ObjectStore } from '#storage';
import type { CataloguedPack, PackCatalog } from '../catalog/pack-catalog.ts';
import { damaged } from '../format/damage.ts';
import { frameCipher } from '../format/frame.ts';
import { objectNames } from '../format/names.ts';
import { limits } from '../format/limits.ts';
import { directoryBytesOf, type PackedChunk, type PackedFrame, sealDirectory, trailerBytes } from '../format/pack.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { readWhole } from '../restore/open-snapshot.ts';

/** What copying needs. */
export interface CopyTarget {
  readonly store: ObjectStore;
  readonly keys: KeyRing;
  readonly repositoryId: string;
  readonly packBytes: number;
  readonly signal?: AbortSignal;
}

/** A pack that was written. */
export interface WrittenPack {
  readonly name: string;
  readonly size: number;
  /** Keys that its frames and its directory are under. */
  readonly keyIds: ReadonlySet<string>;
}

/** Gathers sealed frames into new packs: nothing is opened, no data key is needed. */
export class FrameCopier {
  readonly written: WrittenPack[] = [];
  private readonly target: CopyTarget;
  private readonly catalog: PackCatalog;
  private frames: PackedFrame[] = [];
  private parts: Uint8Array[] = [];
  private size = 0;
  private directorySize = 0;
  private catalogKeyId = '';

  constructor(catalog: PackCatalog, target: CopyTarget) {
    this.catalog = catalog;
    this.target = target;
  }

  /** Copies the live frames of one pack, whose bytes must have the hash in its name: damage is not carried on under a new name. */
  async copy(pack: CataloguedPack, liveFrames: Uint8Array): Promise<void> {
    const bytes = await readWhole(this.target.store, pack.name, this.target.signal);
    const chunks = this.chunksByFrame(pack);
    for (let number = pack.frames.from; number < pack.frames.to; number++) {
      const frame = this.catalog.locations.frames[number];
      if (!frame || liveFrames[number] !== 1) continue;
      const own = chunks.get(number) ?? [];
      const grown = this.size + frame.length + this.directorySize + directoryBytesOf(own.length) + trailerBytes + 64;
      if (this.frames.length > 0 && (this.size >= this.target.packBytes || grown > limits.packBytes)) await this.flush();
      this.catalogKeyId ||= pack.catalogKeyId;
      const { length, class: frameClass, codec, keyId, plainLength } = frame;
      this.frames.push({ offset: this.size, length, class: frameClass, codec, keyId, plainLength, chunks: own });
      // A copy, so that the rest of the old pack need not stay in memory.
      this.parts.push(Buffer.from(bytes.subarray(frame.offset, frame.offset + length)));
      this.size += length;
      this.directorySize += directoryBytesOf(own.length);
    }
  }

  private chunksByFrame(pack: CataloguedPack): Map<number, PackedChunk[]> {
    const { locations } = this.catalog;
    const byFrame = new Map<number, PackedChunk[]>();
    for (let copy = pack.chunks.from; copy < pack.chunks.to; copy++) {
      const { frame, length } = locations.at(copy);
      const own = byFrame.get(frame) ?? [];
      own.push({ id: locations.idOf(copy), length });
      byFrame.set(frame, own);
    }
    return byFrame;
  }

  /** Writes what is gathered as one pack and sees that it is there. */
  async flush(): Promise<void> {
    if (this.frames.length === 0) return;
    const { store, keys, repositoryId, signal } = this.target;
    const { directory, trailer } = sealDirectory(frameCipher(repositoryId, await keys.get('catalog', this.catalogKeyId)), this.frames);
    const body = [...this.parts, directory, trailer];
    const hash = createHash('sha256');
    for (const part of body) hash.update(part);
    const sha256 = hash.digest();
    const [name, size] = [objectNames.pack(sha256), body.reduce((sum, part) => sum + part.length, 0)];
    await store.put(name, body, { sha256, ...(signal ? { signal } : {}) });
    const info = await store.head(name, signal ? { signal } : {});
    if (info?.size !== size) throw damaged('object-damaged', `${name} was written and is not there as it was written; nothing was deleted`);
    this.written.push({ name, size, keyIds: new Set([this.catalogKeyId, ...this.frames.map((frame) => frame.keyId)]) });
    [this.frames, this.parts, this.size, this.directorySize, this.catalogKeyId] = [[], [], 0, 0, ''];
  }
}
