import { createHash, randomFillSync } from 'node:crypto';

/** A string that cannot be mixed up with another kind of string. */
export type Branded<Brand extends string> = string & { readonly __brand: Brand };

/** What an id is an id of; the prefix is part of the id, as in `run_5f2k...`. */
export const idPrefixes = [
  'inst', 'node', 'task', 'run', 'snap', 'target', 'repo', 'user', 'key', 'link', 'cred', 'rot', 'cmd', 'name', 'claim', 'upgrade', 'batch',
] as const;
export type IdPrefix = (typeof idPrefixes)[number];

export type NodeId = Branded<'node'>;
export type TaskId = Branded<'task'>;
export type RunId = Branded<'run'>;
export type SnapshotId = Branded<'snap'>;
export type TargetId = Branded<'target'>;
/** 32 hex digits: `repo_` + these name the repository aggregate. */
export type RepositoryId = Branded<'repo'>;

/** Crockford's base 32 without i, l, o, u, in lower case: easy to read aloud, safe in subjects, paths and URLs. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const digits = 20; // 100 bits

const encode = (bytes: Uint8Array): string => {
  let bits = 0n;
  for (const byte of bytes.subarray(0, 13)) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let i = 0; i < digits; i++) {
    text = alphabet[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return text;
};

/** The only source of randomness for names. */
export interface IdSource {
  /** A new id that nobody else has: `prefix_` and 20 characters. */
  next(prefix: IdPrefix): string;
}

const idBytes = 13;
/** Random bytes for many ids at once: asking the system for each costs more than the rest of the id. Every byte is used once. */
const pool = new Uint8Array(630 * idBytes);
let used = pool.length;

const freshBytes = (): Uint8Array => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += idBytes;
  return pool.subarray(used - idBytes, used);
};

/** Random ids. */
export const randomIds: IdSource = { next: (prefix) => `${prefix}_${encode(freshBytes())}` };

/** The id that follows from `parts` alone: the same on every master, so that acting twice creates one thing. */
export const derivedId = (prefix: IdPrefix, ...parts: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return `${prefix}_${encode(hash.digest())}`;
};

/** Ids `prefix_00000000000000000001` and so on, for tests that print them. */
export const countingIds = (): IdSource => {
  let count = 0;
  return { next: (prefix) => `${prefix}_${String(++count).padStart(digits, '0')}` };
};

/** True for `prefix_` followed by 20 characters of the alphabet. */
export const isId = (prefix: IdPrefix, text: string): boolean =>
  text.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{20}$/.test(text.slice(prefix.length + 1));

/** The masters' own executor: no host, no credential, the same claims as any other node. */
export const controlNode = 'node_control' as NodeId;
