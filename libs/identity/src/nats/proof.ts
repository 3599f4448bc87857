import { type Nkey, verifyNkey } from './nkey.ts';

/** What a node proves with one of its keys; a proof for one purpose is worthless for another. */
export type ProofPurpose = 'rotate' | 'rotated' | 'renew';

/** No part may end where another begins. */
const provenBytes = (purpose: ProofPurpose, parts: readonly string[]): Buffer =>
  Buffer.from([`holdfast/1 node-${purpose}`, ...parts.map((part) => `${Buffer.byteLength(part)}:${part}`)].join('\0'), 'utf8');

/** Signs, with a node's key, what it asks for (base64). */
export const prove = (key: Pick<Nkey, 'sign'>, purpose: ProofPurpose, ...parts: readonly string[]): string =>
  Buffer.from(key.sign(provenBytes(purpose, parts))).toString('base64');

/** True when the pair of this public key made the proof, for this purpose and these parts; false for any malformed input. */
export const isProven = (publicKey: string, proof: string, purpose: ProofPurpose, ...parts: readonly string[]): boolean =>
  verifyNkey('user', publicKey, provenBytes(purpose, parts), Buffer.from(proof, 'base64'));
