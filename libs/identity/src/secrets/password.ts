import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { fault } from '#kernel';

const hashWith = promisify(argon2);
const cost = { memory: 65_536, passes: 3, parallelism: 1 };
const [saltBytes, tagBytes] = [16, 32];

/** Shortest and longest password in characters; the longest keeps hashing cheap for us. */
export const passwordLength = { min: 12, max: 256 } as const;

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');

const derive = (password: string, salt: Uint8Array, { memory, passes, parallelism }: typeof cost): Promise<Buffer> =>
  hashWith('argon2id', { message: password.normalize('NFKC'), nonce: salt, memory, passes, parallelism, tagLength: tagBytes });

/** argon2id of a password as a PHC string, with a new salt. Throws `invalid-password` for lengths outside `passwordLength`. */
export const hashPassword = async (password: string): Promise<string> => {
  if (password.length < passwordLength.min || password.length > passwordLength.max) {
    throw fault('validation', 'invalid-password', `A password has ${passwordLength.min} to ${passwordLength.max} characters`);
  }
  const salt = randomBytes(saltBytes);
  const tag = await derive(password, salt, cost);
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(tag)}`;
};

/** True when the hash is one of this password. False for anything malformed or of a cost beyond ours. */
export const verifyPassword = async (hash: string, password: string): Promise<boolean> => {
  const found = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/.exec(hash);
  if (!found || password.length > passwordLength.max) return false;
  const [, memory, passes, parallelism, salt = '', tag = ''] = found;
  const given = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  if (given.memory > 4 * cost.memory || given.passes > 10) return false;
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64'), given), Buffer.from(tag, 'base64'));
};
