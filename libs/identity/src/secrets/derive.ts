import { createHmac, hkdfSync } from 'node:crypto';

/** A 32-byte key for one purpose, derived from a secret of the installation (HKDF-SHA-256); purposes never share a key. */
export const deriveKey = (secret: Uint8Array, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), `holdfast/1 ${purpose}`, 32));

/** 16 hex digits by which masters see that they hold the same secret, without showing it. */
export const secretFingerprint = (secret: Uint8Array, name: string): string =>
  createHmac('sha256', deriveKey(secret, 'fingerprint')).update(name).digest('hex').slice(0, 16);
