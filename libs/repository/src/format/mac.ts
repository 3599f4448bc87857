import { createHmac, hash } from 'node:crypto';

const blockBytes = 64;
const shortBytes = 32 * 1024;

/**
 * HMAC-SHA-256 (RFC 2104) under one key of at most 64 bytes. Short messages go through one-shot hashes: asked for every entry and every
 * small file, `createHmac` would cost several times as much.
 */
export const macOf = (key: Uint8Array): ((message: Uint8Array) => Buffer) => {
  const inner = Buffer.alloc(blockBytes + shortBytes, 0x36);
  const outer = Buffer.alloc(blockBytes + 32, 0x5c);
  key.forEach((byte, index) => {
    inner[index] = byte ^ 0x36;
    outer[index] = byte ^ 0x5c;
  });
  return (message) => {
    if (message.length > shortBytes) return createHmac('sha256', key).update(message).digest();
    inner.set(message, blockBytes);
    outer.set(hash('sha256', inner.subarray(0, blockBytes + message.length), 'buffer'), blockBytes);
    return hash('sha256', outer, 'buffer');
  };
};
