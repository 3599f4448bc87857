import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { fault } from '#kernel';
import { damaged } from './damage.ts';

/** Bytes of every key of the format. */
export const keyBytes = 32;

/** A key and the id that proves that it is the right one. */
export interface Key {
  /** First 16 bytes of HMAC-SHA-256(key, "holdfast/1 key id"), 32 hex digits. */
  readonly id: string;
  /** 32 bytes. Secret. */
  readonly bytes: Uint8Array;
}

/** What a key is for; where its wrapping lies follows from it. */
export type KeyClass = 'id' | 'data' | 'catalog';

const truncatedMac = (key: Uint8Array, label: string): string => createHmac('sha256', key).update(label).digest('hex').slice(0, 32);

/** The id of a key: 32 hex digits. */
export const keyIdOf = (key: Uint8Array): string => truncatedMac(key, 'holdfast/1 key id');

/** The id of the repository that this id key makes: 32 hex digits. */
export const repositoryIdOf = (idKey: Uint8Array): string => truncatedMac(idKey, 'holdfast/1 repository id');

/** A new random key. */
export const generateKey = (): Key => keyFrom(randomBytes(keyBytes));

/** The key of these 32 bytes. Throws `key-damaged` for another length. */
export const keyFrom = (bytes: Uint8Array): Key => {
  if (bytes.length !== keyBytes) throw damaged('key-damaged', `A key has ${keyBytes} bytes, this one ${bytes.length}`);
  return { id: keyIdOf(bytes), bytes };
};

/** The keys of one attempt. Every attempt makes its own, a resumed one too. */
export interface AttemptKeys {
  readonly data: Key;
  readonly catalog: Key;
}

/** New random keys for an attempt. */
export const generateAttemptKeys = (): AttemptKeys => ({ data: generateKey(), catalog: generateKey() });

/** What the id key is used for, each under a key of its own. */
export interface Subkeys {
  readonly chunkId: Buffer;
  /** 1,024 bytes: 256 little-endian 32-bit numbers. */
  readonly gear: Buffer;
  readonly manifestCut: Buffer;
  readonly snapshot: Buffer;
}

/** HKDF-SHA-256 of the id key, no salt, info "holdfast/1 chunk id", "... gear", "... manifest cut", "... snapshot". */
export const deriveSubkeys = (idKey: Uint8Array): Subkeys => {
  const derive = (use: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', idKey, new Uint8Array(0), `holdfast/1 ${use}`, length));
  return {
    chunkId: derive('chunk id', keyBytes), gear: derive('gear', 1024),
    manifestCut: derive('manifest cut', keyBytes), snapshot: derive('snapshot', keyBytes),
  };
};

/** Refuses a key that is not the one of `keyId`. */
export const checkKeyId = (key: Uint8Array, keyId: string): void => {
  const expected = Buffer.from(keyId, 'hex');
  const actual = Buffer.from(keyIdOf(key), 'hex');
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) {
    throw damaged('key-damaged', `The unwrapped key is not the key ${keyId}`);
  }
};

/** For keys that nobody handed over and that no given identity unwraps. */
export const keyNotAvailable = (keyClass: KeyClass, keyId: string): Error =>
  fault('forbidden', 'key-not-available', `None of the given identities or keys opens the ${keyClass} key ${keyId}; give a recovery identity`);
