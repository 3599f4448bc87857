import { catalogChunkId, dataChunkId } from '../format/chunk-id.ts';
import { type ChunkClass, frameClass } from '../format/limits.ts';
import type { PackedChunk } from '../format/pack.ts';
import type { KnownLookup } from '../state/known-lookup.ts';
import type { PackMaker } from './pack-maker.ts';
import type { ChunkClaims } from './shared-index.ts';

/** Chunks are compressed together until there is this much. */
const frameBytes = 1024 * 1024;
/** No frame has more chunks: a directory entry must not outgrow what it describes. */
const frameChunks = 4096;

/** The frame of one class in the making. */
class OpenFrame {
  readonly class: ChunkClass;
  readonly bytes = Buffer.allocUnsafeSlow(2 * frameBytes);
  used = 0;
  chunks: PackedChunk[] = [];

  constructor(chunkClass: ChunkClass) {
    this.class = chunkClass;
  }
}

/** Names chunks, stores those that are new, in frames of about 1 MiB. */
export class ChunkStore {
  private readonly data = new OpenFrame(frameClass.data);
  private readonly catalog = new OpenFrame(frameClass.catalog);
  private readonly packs: PackMaker;
  private readonly known: KnownLookup;
  private readonly claims: ChunkClaims;
  private readonly chunkIdKey: Uint8Array;

  constructor(packs: PackMaker, known: KnownLookup, claims: ChunkClaims, chunkIdKey: Uint8Array) {
    this.packs = packs;
    this.known = known;
    this.claims = claims;
    this.chunkIdKey = chunkIdKey;
  }

  /** Where a small data chunk may be read into, so that it need not be copied: at least 1 MiB is free. Then call `addRead`. */
  get readInto(): { readonly bytes: Buffer; readonly at: number } {
    return { bytes: this.data.bytes, at: this.data.used };
  }

  /** The chunk that was read into `readInto`. */
  async addRead(length: number): Promise<Buffer> {
    const { bytes, used } = this.data;
    const id = dataChunkId(this.chunkIdKey, bytes.subarray(used, used + length));
    if (this.isNew(id)) {
      this.data.used += length;
      this.data.chunks.push({ id, length });
      await this.sealIfFull(this.data);
    }
    return id;
  }

  /** Any chunk. `plain` is not kept. */
  async add(chunkClass: ChunkClass, plain: Uint8Array): Promise<Buffer> {
    const id = chunkClass === frameClass.catalog ? catalogChunkId(plain) : dataChunkId(this.chunkIdKey, plain);
    await this.put(chunkClass, id, plain);
    return id;
  }

  /** A chunk whose id is known already. */
  async put(chunkClass: ChunkClass, id: Buffer, plain: Uint8Array): Promise<void> {
    if (!this.isNew(id)) return;
    if (plain.length >= frameBytes) return this.packs.add(chunkClass, plain, [{ id, length: plain.length }]);
    const frame = chunkClass === frameClass.catalog ? this.catalog : this.data;
    if (frame.used > frameBytes / 2 && frame.used + plain.length > frameBytes + frameBytes / 4) await this.seal(frame);
    frame.bytes.set(plain, frame.used);
    frame.used += plain.length;
    frame.chunks.push({ id, length: plain.length });
    await this.sealIfFull(frame);
  }

  private isNew(id: Buffer): boolean {
    return !this.known.has(id) && this.claims.claim(id);
  }

  private async sealIfFull(frame: OpenFrame): Promise<void> {
    if (frame.used >= frameBytes || frame.chunks.length >= frameChunks) await this.seal(frame);
  }

  private async seal(frame: OpenFrame): Promise<void> {
    if (frame.chunks.length === 0) return;
    await this.packs.add(frame.class, frame.bytes.subarray(0, frame.used), frame.chunks);
    frame.used = 0;
    frame.chunks = [];
  }

  /** Seals what is open and closes the pack. */
  async finish(): Promise<void> {
    await this.seal(this.data);
    await this.seal(this.catalog);
    this.packs.close();
  }
}
