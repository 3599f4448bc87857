import { gearScan } from './gear-scan.ts';
import type { ChunkerLimits } from './limits.ts';

/** Finds cut points in a stream; keeps its place between calls, so that a chunk may arrive in pieces. */
export interface Chunker {
  /** Where the content goes before it is cut. */
  readonly content: Buffer;
  /**
   * Looks for the end of the current chunk. `content[start, end)` is the chunk so far, all of it, `start` the same chunk's begin in each
   * call, wherever it was moved to. Returns the chunk's end, or -1 when it goes on beyond `end`. After a cut the next chunk begins.
   */
  cut(start: number, end: number): number;
  /** Forgets the current chunk: another file begins. */
  reset(): void;
  /** True: what is zero from its begin on is certainly cut at the maximum only, so that nobody needs to look for cuts in it. */
  readonly zerosRun: boolean;
}

/** The mask of the `bits` highest bits of 32. */
const highBits = (bits: number): number => (0xffff_ffff << (32 - bits)) | 0;

/**
 * Whether the hash over zeros alone never has the bits of `mask` zero. From its 32nd byte on it stays the same, as everything that was
 * before has been shifted out.
 */
const neverCutsZeros = (gear: Uint8Array, mask: number): boolean => {
  const ofZero = new DataView(gear.buffer, gear.byteOffset, 4).getUint32(0, true);
  let hash = 0;
  for (let byte = 0; byte < 32; byte++) {
    hash = ((hash << 1) + ofZero) | 0;
    if ((hash & mask) === 0) return false;
  }
  return true;
};

/**
 * FastCDC (Xia et al., USENIX ATC 2016) with normalized chunking of level 2: the rolling hash is h = (h << 1) + gear[byte] mod 2^32,
 * started at 0 behind the minimum; up to the average size a cut needs log2(average) + 2 high bits to be zero, behind it
 * log2(average) - 2; the maximum cuts always. The gear table is secret, so that sizes do not tell what is inside.
 * `bytes` is how much content there is room for: at least one chunk of the largest size.
 */
export const createChunker = (gear: Uint8Array, limits: ChunkerLimits, bytes: number): Chunker => {
  const rolling = gearScan(gear.subarray(0, 1024), bytes);
  const bits = Math.log2(limits.average);
  const strict = highBits(bits + 2);
  const loose = highBits(bits - 2);
  let scanned = limits.min;
  const reset = (): void => {
    rolling.reset();
    scanned = limits.min;
  };
  return {
    content: rolling.content,
    reset,
    // What the strict mask lets through, the loose one does too.
    zerosRun: neverCutsZeros(gear, loose),
    cut: (start, end) => {
      const available = Math.min(end - start, limits.max);
      const phases = [[Math.min(available, limits.average), strict], [available, loose]] as const;
      for (const [to, mask] of phases) {
        if (scanned >= to) continue;
        const found = rolling.scan(start + scanned, start + to, mask);
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
