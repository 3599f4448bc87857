import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { fault } from '#kernel';
import { deriveKey } from './derive.ts';

const version = 1;
const [ivBytes, tagBytes] = [12, 16];

/**
 * Encrypts secrets at rest with AES-256-GCM under a key derived from the crypto secret. `context` (for example the row's id) is
 * authenticated: a sealed secret moved to another row does not open. Layout: version (1), iv (12), tag (16), ciphertext.
 */
export interface Vault {
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** Throws `secret-unreadable` when the bytes, the context or the crypto secret are not those of `seal`. */
  open(sealed: Uint8Array, context: string): Uint8Array;
}

const unreadable = (cause?: unknown) => fault('internal', 'secret-unreadable', 'A stored secret cannot be decrypted: the crypto secret is not the one it was stored under, or the row was altered', { cause });

/** A vault under the installation's crypto secret. */
export const newVault = (cryptoSecret: Uint8Array): Vault => {
  const key = deriveKey(cryptoSecret, 'vault');
  const aad = (context: string): Buffer => Buffer.from(`holdfast/1 vault\0${context}`, 'utf8');
  return {
    seal: (plain, context) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad(context));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(version), iv, cipher.getAuthTag(), body]);
    },
    open: (sealed, context) => {
      if (sealed.length < 1 + ivBytes + tagBytes || sealed[0] !== version) throw unreadable();
      const iv = sealed.subarray(1, 1 + ivBytes);
      const tag = sealed.subarray(1 + ivBytes, 1 + ivBytes + tagBytes);
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(aad(context)).setAuthTag(tag);
        return Buffer.concat([decipher.update(sealed.subarray(1 + ivBytes + tagBytes)), decipher.final()]);
      } catch (error) {
        throw unreadable(error);
      }
    },
  };
};
