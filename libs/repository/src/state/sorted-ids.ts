import { chunkIdBytes } from '../format/chunk-id.ts';

/** Ids and the packs they lie in, in the order they came. */
export interface PackedIds {
  /** 32 bytes each. */
  readonly ids: Uint8Array;
  /** Index of the pack in the writer's table, one for each id. */
  readonly packs: Uint32Array;
}

/** The order that sorts 32-byte ids ascending as raw bytes. */
export const sortedOrder = (ids: Uint8Array): Uint32Array => {
  const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.length);
  const order = Uint32Array.from({ length: bytes.length / chunkIdBytes }, (_, index) => index);
  return order.sort((a, b) =>
    bytes.compare(bytes, b * chunkIdBytes, (b + 1) * chunkIdBytes, a * chunkIdBytes, (a + 1) * chunkIdBytes));
};

/** Sorted copy of 32-byte ids, in memory that threads share. */
export const sortedShared = (ids: Uint8Array): Uint8Array => {
  const sorted = new Uint8Array(new SharedArrayBuffer(ids.length));
  sortedOrder(ids).forEach((from, to) => sorted.set(ids.subarray(from * chunkIdBytes, (from + 1) * chunkIdBytes), to * chunkIdBytes));
  return sorted;
};

/** Binary search in ascending 32-byte ids. */
export const includesId = (sorted: Uint8Array, id: Uint8Array): boolean => {
  const bytes = Buffer.from(sorted.buffer, sorted.byteOffset, sorted.length);
  let low = 0;
  let high = bytes.length / chunkIdBytes - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = bytes.compare(id, 0, chunkIdBytes, middle * chunkIdBytes, (middle + 1) * chunkIdBytes);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return false;
};
