/** Unit of holes: the block of the usual file systems. */
const block = 4096;
const zeros = Buffer.alloc(block);

/** A part of a piece that has to be written; the rest is zeros and becomes a hole. */
export interface DataRun {
  readonly start: number;
  readonly end: number;
}

/**
 * The parts of `bytes` outside blocks of zeros. Blocks are counted from the start of the file (`position` is where `bytes` go); what of a
 * block belongs to another piece does not matter, as a fresh file reads as zeros wherever nothing is written.
 */
export function* dataRuns(bytes: Uint8Array, position: number): Generator<DataRun> {
  let start = 0;
  let next: number;
  for (let at = 0; at < bytes.length; at = next) {
    next = Math.min(at + block - ((position + at) % block), bytes.length);
    if (!isZero(bytes, at, next)) continue;
    if (at > start) yield { start, end: at };
    start = next;
  }
  if (start < bytes.length) yield { start, end: bytes.length };
}

/** The first byte decides almost always. */
const isZero = (bytes: Uint8Array, start: number, end: number): boolean =>
  bytes[start] === 0 && zeros.compare(bytes, start, end, 0, end - start) === 0;
