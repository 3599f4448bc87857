import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { fault } from '#kernel';

const version = 'v1';
const nonceBytes = 12;
const tagBytes = 16;

/** Seals texts that lie in the schema `vault` under the installation's crypto secret. */
export interface VaultSeal {
  /** `purpose` names what and whose it is (`target:<id>`): a sealed text moved elsewhere does not open. */
  seal(purpose: string, text: string): string;
  /** Throws `vault-unreadable`: sealed under another secret, for another purpose, or damaged. */
  open(purpose: string, sealed: string): string;
}

const unreadable = (): Error =>
  fault('internal', 'vault-unreadable', 'A stored secret does not open: restore the crypto secret it was sealed with, or enter the secret again');

/** AES-256-GCM under HKDF-SHA-256 of `secret`, a random nonce each; `v1.<nonce, ciphertext and tag in base64url>`. */
export const vaultSeal = (secret: string | Uint8Array): VaultSeal => {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'holdfast vault', 32));
  return {
    seal: (purpose, text) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${version}.${body.toString('base64url')}`;
    },
    open: (purpose, sealed) => {
      const [kind, text] = sealed.split('.');
      const body = Buffer.from(text ?? '', 'base64url');
      if (kind !== version || body.length < nonceBytes + tagBytes) throw unreadable();
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, nonceBytes)).setAAD(Buffer.from(purpose));
      decipher.setAuthTag(body.subarray(body.length - tagBytes));
      try {
        return Buffer.concat([decipher.update(body.subarray(nonceBytes, body.length - tagBytes)), decipher.final()]).toString('utf8');
      } catch {
        throw unreadable();
      }
    },
  };
};
