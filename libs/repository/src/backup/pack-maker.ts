import { createHash, type Hash } from 'node:crypto';
import type { FrameCipher } from '../format/frame.ts';
import { FrameCompressor } from '../format/frame-compressor.ts';
import type { ChunkClass } from '../format/limits.ts';
import { directoryBytesOf, type PackedChunk, type PackedFrame, sealDirectory, trailerBytes } from '../format/pack.ts';

/** A pack is closed when its directory would grow beyond this. */
const maxDirectoryBytes = 4 * 1024 * 1024;
/** The largest frame that may come when a pack is just below its size. */
const largestFrame = 8 * 1024 * 1024 + 256 * 1024;

/** A finished pack: `length` bytes at the start of `buffer`. */
export interface MadePack {
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly sha256: Buffer;
  readonly ids: Buffer;
  readonly plainBytes: number;
}

/** What a pack maker works with. */
export interface PackMakerOptions {
  readonly data: FrameCipher;
  readonly catalog: FrameCipher;
  readonly packBytes: number;
  /** Gives a buffer to fill; waits while all are on their way to the target: this is what bounds memory. */
  readonly buffer: (bytes: number) => Promise<ArrayBuffer>;
  readonly onPack: (pack: MadePack) => void;
}

/** Seals frames into packs. */
export class PackMaker {
  private readonly options: PackMakerOptions;
  private readonly compressor = new FrameCompressor();
  private target: Buffer | undefined;
  private used = 0;
  private directoryBytes = 0;
  private plainBytes = 0;
  private frames: PackedFrame[] = [];
  private hash: Hash = createHash('sha256');

  constructor(options: PackMakerOptions) {
    this.options = options;
  }

  /** Seals one frame under the key of its class and puts it into the pack, which is closed when it is large enough. */
  async add(frameClass: ChunkClass, plain: Uint8Array, chunks: readonly PackedChunk[]): Promise<void> {
    const cipher = frameClass === 1 ? this.options.data : this.options.catalog;
    const { codec, parts } = await this.compressor.compress(plain);
    this.target ??= Buffer.from(await this.options.buffer(this.options.packBytes + largestFrame + maxDirectoryBytes + 1024 * 1024));
    const offset = this.used;
    this.used = cipher.sealInto(this.target, offset, { class: frameClass, codec }, parts);
    this.hash.update(this.target.subarray(offset, this.used));
    this.frames.push({ offset, length: this.used - offset, class: frameClass, codec, keyId: cipher.keyId, plainLength: plain.length, chunks });
    this.plainBytes += plain.length;
    this.directoryBytes += directoryBytesOf(chunks.length);
    if (this.used >= this.options.packBytes || this.directoryBytes >= maxDirectoryBytes) this.close();
  }

  /** Closes the pack in the making, if there is one. */
  close(): void {
    if (!this.target) return;
    const { directory, trailer } = sealDirectory(this.options.catalog, this.frames);
    this.target.set(directory, this.used);
    this.target.set(trailer, this.used + directory.length);
    const sha256 = this.hash.update(directory).update(trailer).digest();
    const ids = Buffer.concat(this.frames.flatMap((frame) => frame.chunks.map((chunk) => chunk.id)));
    const made = {
      buffer: this.target.buffer as ArrayBuffer, length: this.used + directory.length + trailerBytes, sha256, ids, plainBytes: this.plainBytes,
    };
    this.target = undefined;
    this.used = this.directoryBytes = this.plainBytes = 0;
    this.frames = [];
    this.hash = createHash('sha256');
    this.options.onPack(made);
  }
}
