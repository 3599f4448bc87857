import { decode, encodeUser } from '@nats-io/jwt';
import { createUser, fromPublic, fromSeed } from '@nats-io/nkeys';
import { describe, expect, it } from 'vitest';
import { decodeJwt, encodeJwt } from './jwt.ts';
import { type NkeyKind, isNkey, newNkey, nkeyFromSeed, verifyNkey } from './nkey.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('nkeys and tokens', () => {
  it.each<NkeyKind>(['operator', 'account', 'user'])('our %s keys are those of the NATS library', (kind) => {
    const ours = newNkey(kind);
    const theirs = fromSeed(bytes(ours.seed));
    expect(theirs.getPublicKey()).toBe(ours.publicKey);
    expect(Buffer.from(theirs.sign(bytes('x')))).toEqual(Buffer.from(ours.sign(bytes('x'))));
    expect(fromPublic(ours.publicKey).verify(bytes('x'), ours.sign(bytes('x')))).toBe(true);
    expect(nkeyFromSeed(kind, ours.seed).publicKey).toBe(ours.publicKey);
  });

  it('reads the keys of the NATS library', () => {
    const theirs = createUser();
    expect(nkeyFromSeed('user', new TextDecoder().decode(theirs.getSeed())).publicKey).toBe(theirs.getPublicKey());
    expect(verifyNkey('user', theirs.getPublicKey(), bytes('x'), theirs.sign(bytes('x')))).toBe(true);
  });

  it('refuses damaged keys, keys of another kind and foreign signatures', () => {
    const key = newNkey('user');
    const changed = (text: string): string => text.slice(0, 20) + (text[20] === 'A' ? 'B' : 'A') + text.slice(21);
    for (const bad of ['', 'U', changed(key.publicKey), key.publicKey.slice(1), `${key.publicKey}A`, newNkey('account').publicKey, key.seed, 'ü'.repeat(56)]) {
      expect(isNkey('user', bad)).toBe(false);
    }
    expect(() => nkeyFromSeed('user', changed(key.seed))).toThrow('invalid-nkey');
    expect(() => nkeyFromSeed('account', key.seed)).toThrow('invalid-nkey');
    expect(verifyNkey('user', key.publicKey, bytes('x'), newNkey('user').sign(bytes('x')))).toBe(false);
    expect(verifyNkey('user', key.publicKey, bytes('x'), bytes('short'))).toBe(false);
  });

  it('the NATS library accepts our tokens, and we accept its', async () => {
    const [account, user] = [newNkey('account'), newNkey('user')];
    const ours = encodeJwt({ sub: user.publicKey, name: 'n', iat: 5, exp: 9, nats: { type: 'user', subs: 1 } }, account);
    expect(decode(ours)).toMatchObject({ iss: account.publicKey, sub: user.publicKey, iat: 5, exp: 9, nats: { type: 'user', version: 2, subs: 1 } });
    const theirs = await encodeUser('n', fromPublic(user.publicKey), fromSeed(bytes(account.seed)), {}, {});
    expect(decodeJwt(theirs)).toMatchObject({ iss: account.publicKey, sub: user.publicKey });
  });

  it('refuses a token whose content was changed', () => {
    const token = encodeJwt({ sub: newNkey('user').publicKey, name: 'n', iat: 5, nats: { type: 'user' } }, newNkey('account'));
    const [head, body = '', signature] = token.split('.');
    const altered = Buffer.from(Buffer.from(body, 'base64url').toString().replace('"iat":5', '"iat":6')).toString('base64url');
    expect(() => decodeJwt(`${head}.${altered}.${signature}`)).toThrow('invalid-jwt');
    for (const bad of ['', 'a.b', 'a.b.c', `${token}.x`, `${head}.bnVsbA.${signature}`]) expect(() => decodeJwt(bad)).toThrow('invalid-jwt');
  });
});
