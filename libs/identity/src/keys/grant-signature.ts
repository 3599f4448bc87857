import { type PinnedKey, type SigningKey, verifyPinned } from './signing-key.ts';

const grantBytes = (text: string): Buffer => Buffer.from(`holdfast/1 grant\0${text}`, 'utf8');

/** Signs the text of a grant: `<key id>.<base64url>`, safe in a URL. */
export const signGrant = (key: SigningKey, text: string): string =>
  `${key.id}.${Buffer.from(key.sign(grantBytes(text))).toString('base64url')}`;

/** True when one of the keys signed this text as a grant. */
export const verifyGrant = (pinned: readonly PinnedKey[], text: string, signature: string): boolean => {
  const [id = '', bytes = ''] = signature.split('.', 2);
  return verifyPinned(pinned, id, grantBytes(text), Buffer.from(bytes, 'base64url'));
};
