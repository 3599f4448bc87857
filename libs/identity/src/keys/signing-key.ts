import { type KeyObject, createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { fault } from '#kernel';

/** A public Ed25519 key that a peer pins. */
export interface PinnedKey {
  /** First 16 hex digits of SHA-256 over the key. */
  readonly id: string;
  /** PEM, SPKI. */
  readonly publicKey: string;
}

/** An Ed25519 key pair of the installation. */
export interface SigningKey extends PinnedKey {
  /** Raw signature, 64 bytes. */
  sign(data: Uint8Array): Uint8Array;
  /** PEM, PKCS#8: secret. */
  exportPrivate(): string;
}

const idOf = (key: KeyObject): string => createHash('sha256').update(key.export({ format: 'der', type: 'spki' })).digest('hex').slice(0, 16);

const fromPrivate = (privateKey: KeyObject): SigningKey => {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw fault('validation', 'invalid-signing-key', 'A signing key must be an Ed25519 key in PEM (PKCS#8)');
  const publicKey = createPublicKey(privateKey);
  return {
    id: idOf(publicKey),
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (data) => sign(null, data, privateKey),
    exportPrivate: () => privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
};

/** Makes a new key pair. */
export const newSigningKey = (): SigningKey => fromPrivate(generateKeyPairSync('ed25519').privateKey);

/** The key pair of a PEM text. */
export const signingKeyFromPem = (pem: string): SigningKey => {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw fault('validation', 'invalid-signing-key', 'A signing key must be an Ed25519 key in PEM (PKCS#8)');
  }
  return fromPrivate(key);
};

/** True when one of the pinned keys, the one called `id`, made the signature; false for any malformed input. */
export const verifyPinned = (pinned: readonly PinnedKey[], id: string, data: Uint8Array, signature: Uint8Array): boolean => {
  const key = pinned.find((candidate) => candidate.id === id);
  if (!key) return false;
  try {
    const publicKey = createPublicKey(key.publicKey);
    return idOf(publicKey) === id && verify(null, data, publicKey, signature);
  } catch {
    return false;
  }
};
