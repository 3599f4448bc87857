/** Unit of holes: the block of the usual file systems. */
const block = 4096;
const zeros = Buffer.alloc(block);

/** A part of a piece that has to be written; the rest is zeros and becomes a hole. */
export interface DataRun {
  readonly start: number;
  readonly end: number;
}

/** The parts of `bytes` outside whole blocks of zeros, blocks counted from the start of the file (`position` is where `bytes` go). */
export function* dataRuns(bytes: Uint8Array, position: number): Generator<DataRun> {
  let start = 0;
  let at = (block - (position % block)) % block;
  while (at + block <= bytes.length) {
    if (!isZero(bytes, at)) {
      at += block;
      continue;
    }
    if (at > start) yield { start, end: at };
    do at += block; while (at + block <= bytes.length && isZero(bytes, at));
    start = at;
  }
  if (start < bytes.length) yield { start, end: bytes.length };
}

/** The first byte decides almost always. */
const isZero = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0 && Buffer.compare(bytes.subarray(at, at + block), zeros) === 0;
