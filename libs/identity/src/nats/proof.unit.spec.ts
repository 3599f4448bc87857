import { describe, expect, it } from 'vitest';
import { newNkey } from './nkey.ts';
import { isProven, prove } from './proof.ts';

const [key, other] = [newNkey('user'), newNkey('user')];
const proof = prove(key, 'renew', 'node_a', 'nonce');

describe('a proof of a key', () => {
  it('is believed for its purpose, key and parts', () => {
    expect(isProven(key.publicKey, proof, 'renew', 'node_a', 'nonce')).toBe(true);
  });
  it.each([
    ['another key', () => isProven(other.publicKey, proof, 'renew', 'node_a', 'nonce')],
    ['another purpose', () => isProven(key.publicKey, proof, 'rotate', 'node_a', 'nonce')],
    ['another part', () => isProven(key.publicKey, proof, 'renew', 'node_a', 'other')],
    ['parts that are divided elsewhere', () => isProven(key.publicKey, proof, 'renew', 'node_an', 'once')],
    ['no proof', () => isProven(key.publicKey, '', 'renew', 'node_a', 'nonce')],
    ['a key that is none', () => isProven('UA', proof, 'renew', 'node_a', 'nonce')],
  ])('is refused for %s', (_, check) => expect(check()).toBe(false));
});
