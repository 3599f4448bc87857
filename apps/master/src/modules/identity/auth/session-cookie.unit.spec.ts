import { describe, expect, it } from 'vitest';
import { readCookie, signCookie, verifyCookie } from './session-cookie.ts';

const key = new Uint8Array(32).fill(1);

describe('the session cookie', () => {
  it('is accepted as it was signed, and not otherwise', () => {
    const value = signCookie(key, 'hfs_abc');
    expect(verifyCookie(key, value)).toBe('hfs_abc');
    for (const forged of [`hfs_abd.${value.split('.')[1] ?? ''}`, 'hfs_abc', 'hfs_abc.', `${value}x`, '']) expect(verifyCookie(key, forged)).toBeUndefined();
    expect(verifyCookie(new Uint8Array(32), value)).toBeUndefined();
  });
  it('is found among others', () => {
    expect(readCookie('a=1; holdfast_session=x.y; b=2', 'holdfast_session')).toBe('x.y');
    expect(readCookie('xholdfast_session=1', 'holdfast_session')).toBeUndefined();
    expect(readCookie(undefined, 'holdfast_session')).toBeUndefined();
  });
});
