import { closeSync, constants, openSync, readSync } from 'node:fs';

/** Name of the file that marks a directory as a cache (Cache Directory Tagging Specification, bford.info/cachedir). */
export const cacheTagName = 'CACHEDIR.TAG';

const signature = Buffer.from('Signature: 8a477f597d28d172789f06886806bc55', 'latin1');
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** True when the file begins with the signature of the specification; a file that merely has the name does not count. */
export const isCacheTag = (file: Buffer): boolean => {
  let fd: number | undefined;
  try {
    // Not blocking: somebody may have put a fifo there.
    fd = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const head = Buffer.alloc(signature.length);
    return readSync(fd, head, 0, head.length, 0) === head.length && head.equals(signature);
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
};
