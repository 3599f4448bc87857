import type { ChunkerLimits } from './limits.ts';

/** Finds cut points in a stream; keeps its place between calls, so that a chunk may arrive in pieces. */
export interface Chunker {
  /**
   * Looks for the end of the current chunk. `bytes[start, end)` is the chunk so far, all of it, `start` the same chunk's begin in each
   * call. Returns the chunk's end, or -1 when it goes on beyond `end`. After a cut the next chunk begins.
   */
  cut(bytes: Uint8Array, start: number, end: number): number;
  /** Forgets the current chunk: another file begins. */
  reset(): void;
}

const gearTable = (gear: Uint8Array): Uint32Array => {
  const view = Buffer.from(gear.buffer, gear.byteOffset, gear.length);
  return Uint32Array.from({ length: 256 }, (_, index) => view.readUInt32LE(index * 4));
};

/** The mask of the `bits` highest bits of 32. */
const highBits = (bits: number): number => (0xffff_ffff << (32 - bits)) | 0;

/**
 * FastCDC (Xia et al., USENIX ATC 2016) with normalized chunking of level 2: the rolling hash is h = (h << 1) + gear[byte] mod 2^32,
 * started at 0 behind the minimum; up to the average size a cut needs log2(average) + 2 high bits to be zero, behind it
 * log2(average) - 2; the maximum cuts always. The gear table is secret, so that sizes do not tell what is inside.
 */
export const createChunker = (gear: Uint8Array, limits: ChunkerLimits): Chunker => {
  const table = gearTable(gear);
  const bits = Math.log2(limits.average);
  const strict = highBits(bits + 2);
  const loose = highBits(bits - 2);
  let hash = 0;
  let scanned = limits.min;
  const reset = (): void => {
    hash = 0;
    scanned = limits.min;
  };
  const scan = (bytes: Uint8Array, from: number, to: number, mask: number): number => {
    let rolling = hash;
    for (let i = from; i < to; i++) {
      rolling = ((rolling << 1) + (table[bytes[i] as number] as number)) | 0;
      if ((rolling & mask) === 0) return i + 1;
    }
    hash = rolling;
    return -1;
  };
  return {
    reset,
    cut: (bytes, start, end) => {
      const available = Math.min(end - start, limits.max);
      const phases = [[Math.min(available, limits.average), strict], [available, loose]] as const;
      for (const [to, mask] of phases) {
        if (scanned >= to) continue;
        const found = scan(bytes, start + scanned, start + to, mask);
        if (found >= 0) {
          reset();
          return found;
        }
        scanned = to;
      }
      if (available < limits.max) return -1;
      reset();
      return start + limits.max;
    },
  };
};
