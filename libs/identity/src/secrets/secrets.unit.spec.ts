import { describe, expect, it } from 'vitest';
import { hashBearer, matchesBearer, newBearer } from './bearer.ts';
import { deriveKey, secretFingerprint } from './derive.ts';
import { hashPassword, verifyPassword } from './password.ts';
import { newVault } from './vault.ts';

const secret = new Uint8Array(32).fill(7);

describe('secrets at rest', () => {
  it('a sealed secret opens in its own place and nowhere else', () => {
    const vault = newVault(secret);
    const sealed = vault.seal(Buffer.from('s3 key'), 'target_1');
    expect(Buffer.from(vault.open(sealed, 'target_1')).toString()).toBe('s3 key');
    expect(Buffer.from(sealed).includes('s3 key')).toBe(false);
    expect(() => vault.open(sealed, 'target_2')).toThrow('secret-unreadable');
    expect(() => newVault(new Uint8Array(32)).open(sealed, 'target_1')).toThrow('secret-unreadable');
    for (const at of [0, 1, 13, sealed.length - 1]) {
      const damaged = Uint8Array.from(sealed, (byte, i) => (i === at ? byte ^ 1 : byte));
      expect(() => vault.open(damaged, 'target_1')).toThrow('secret-unreadable');
    }
    expect(() => vault.open(sealed.subarray(0, 20), 'target_1')).toThrow('secret-unreadable');
  });

  it('masters with the same secret show the same fingerprint, and purposes have different keys', () => {
    expect(secretFingerprint(secret, 'crypto')).toBe(secretFingerprint(secret, 'crypto'));
    expect(secretFingerprint(secret, 'crypto')).not.toBe(secretFingerprint(new Uint8Array(32), 'crypto'));
    expect(deriveKey(secret, 'a')).not.toEqual(deriveKey(secret, 'b'));
  });

  it('a password is recognised by its hash alone', async () => {
    const hash = await hashPassword('correct horse battery');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect(await hashPassword('correct horse battery')).not.toBe(hash);
    expect(await verifyPassword(hash, 'correct horse battery')).toBe(true);
    expect(await verifyPassword(hash, 'correct horse batterz')).toBe(false);
    expect(await verifyPassword(hash.replace('m=65536', 'm=999999'), 'correct horse battery')).toBe(false);
    expect(await verifyPassword('plain', 'plain')).toBe(false);
    await expect(hashPassword('short')).rejects.toThrow('invalid-password');
  }, 30_000);

  it('an API key is stored as a hash', () => {
    const { token, hash } = newBearer('hfk');
    expect(token).toMatch(/^hfk_[A-Za-z0-9_-]{43}$/);
    expect(hashBearer(token)).toBe(hash);
    expect(matchesBearer(token, hash)).toBe(true);
    expect(matchesBearer(newBearer('hfk').token, hash)).toBe(false);
    expect(matchesBearer(token, '')).toBe(false);
  });
});
