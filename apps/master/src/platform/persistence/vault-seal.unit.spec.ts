import { describe, expect, it } from 'vitest';
import { vaultSeal } from './vault-seal.ts';

describe('the vault seal', () => {
  const seal = vaultSeal('a crypto secret of the installation');

  it('opens what it sealed and never seals the same text to the same bytes', () => {
    const sealed = seal.seal('target:1', 'secret key é');
    expect(seal.open('target:1', sealed)).toBe('secret key é');
    expect(seal.seal('target:1', 'secret key é')).not.toBe(sealed);
    expect(sealed).not.toContain('secret');
  });

  it('does not open under another purpose, another secret, or when damaged', () => {
    const sealed = seal.seal('target:1', 'x');
    expect(() => seal.open('target:2', sealed)).toThrow('vault-unreadable');
    expect(() => vaultSeal('another secret').open('target:1', sealed)).toThrow('vault-unreadable');
    const middle = sealed.length - 4;
    const damaged = sealed.slice(0, middle) + (sealed[middle] === 'A' ? 'B' : 'A') + sealed.slice(middle + 1);
    for (const text of [damaged, 'v1.', 'v2.abcd', '', sealed.slice(0, 20)]) {
      expect(() => seal.open('target:1', text)).toThrow('vault-unreadable');
    }
  });
});
