/** Smaller memory may be shared with other buffers (Node's pool). */
const smallest = 256 * 1024;

/**
 * Gives the memory of bytes that nobody reads any more back at once. The garbage collector would too, but late: buffers of a mebibyte
 * add up, and each new one costs a page fault for every page. `bytes` and all views of the same buffer are empty afterwards.
 */
export const release = (bytes: Uint8Array): void => {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= smallest) buffer.transfer(0);
};
