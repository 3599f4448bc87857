import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a bearer secret is for; its first letters, so that leaked ones are found and told apart. */
export type BearerKind = 'hfk' | 'hfe' | 'hfs';

/** A secret that is shown once, and what is stored of it. */
export interface Bearer {
  /** `hfk_...` (API key), `hfe_...` (enrolment link) or `hfs_...` (session): secret. */
  readonly token: string;
  /** SHA-256 in hex; enough for 256 random bits. */
  readonly hash: string;
}

/** SHA-256 (hex) of a bearer secret, to look it up. */
export const hashBearer = (token: string): string => createHash('sha256').update(token, 'utf8').digest('hex');

/** Makes a bearer secret of 256 random bits. */
export const newBearer = (kind: BearerKind): Bearer => {
  const token = `${kind}_${randomBytes(32).toString('base64url')}`;
  return { token, hash: hashBearer(token) };
};

/** Compares a presented secret with a stored hash in constant time. */
export const matchesBearer = (token: string, hash: string): boolean => {
  const [given, stored] = [Buffer.from(hashBearer(token)), Buffer.from(hash)];
  return given.length === stored.length && timingSafeEqual(given, stored);
};
