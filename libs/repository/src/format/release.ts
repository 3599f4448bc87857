/** A buffer that is as large is nobody else's: Node's pool, which many small ones share, is smaller. */
const ownBytes = 256 * 1024;

/**
 * Gives the memory of bytes that nobody reads any more back at once. The garbage collector would too, but late: buffers of a mebibyte
 * add up, and each new one costs a page fault for every page. `bytes`, and all views of the same buffer, are empty afterwards.
 * A view of a part of a small buffer is left alone.
 */
export const release = (bytes: Uint8Array): void => {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && (buffer.byteLength >= ownBytes || buffer.byteLength === bytes.byteLength)) buffer.transfer(0);
};
