import { constants, createZstdCompress } from 'node:zlib';
import { compressionLevel, smallestCompressed } from './frame.ts';
import { type Codec, codec } from './limits.ts';
import { release } from './release.ts';

/** Output is put together in buffers of this size, each for many frames: zstd takes a slower way for one that may not fit into what is left. */
const outputBytes = 6 * 1024 * 1024;

/** A frame's plaintext as it is sealed: the parts lie behind each other. */
export interface PackedPlain {
  readonly codec: Codec;
  readonly parts: readonly Uint8Array[];
}

/**
 * Does what `pack` does, for one frame after another, with one zstd context and few buffers: to allocate both anew for each frame costs
 * about a tenth of a backup. Every write ends a frame (`ZSTD_e_end`), which makes zstd note its length and choose as for the whole.
 */
export class FrameCompressor {
  private readonly zstd = createZstdCompress({
    flush: constants.ZSTD_e_end, chunkSize: outputBytes, params: { [constants.ZSTD_c_compressionLevel]: compressionLevel },
  });
  private parts: Uint8Array[] = [];
  /** Parts of output buffers: of those that are full, one each, and the latest part. */
  private full: Uint8Array[] = [];
  private latest: Uint8Array | undefined;

  constructor() {
    this.zstd.on('data', (part: Uint8Array) => this.take(part));
  }

  private take(part: Uint8Array): void {
    if (this.latest && this.latest.buffer !== part.buffer) this.full.push(this.latest);
    this.latest = part;
    this.parts.push(part);
  }

  /**
   * One call after the other; `plain` must not change before it resolves. Works away from the calling thread. What it returned before
   * must not be read any more.
   */
  async compress(plain: Uint8Array): Promise<PackedPlain> {
    for (const part of this.full.splice(0)) release(part);
    if (plain.length < smallestCompressed) return { codec: codec.raw, parts: [plain] };
    await new Promise<void>((resolve, reject) => {
      this.zstd.write(plain, (error) => (error ? reject(error) : resolve()));
    });
    // Reading hands out, as `data`, what the stream still holds.
    while (this.zstd.read() !== null);
    const { parts } = this;
    this.parts = [];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return length < plain.length ? { codec: codec.zstd, parts } : { codec: codec.raw, parts: [plain] };
  }
}
