import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '#kernel';
import { sha256Of } from '../bytes.ts';
import { relayGrantSigner, verifyRelayGrant } from './relay-grants.ts';

const secret = randomBytes(32);
const clock = new FakeClock();
const bytes = Buffer.from('content');
const name = `packs/ab/${'ab'.repeat(32)}`;
const signer = relayGrantSigner({ secret, baseUrl: 'https://master.example', scope: 'repo_1~target_2' });
const write = async () => signer.issue({ access: 'write', name, size: bytes.length, sha256: sha256Of([bytes]), expires: clock.now() + 60_000 });
const targetOf = (url: string): string => url.slice('https://master.example/relay/'.length);
const verify = (method: string, target: string, contentLength?: number) =>
  verifyRelayGrant(secret, clock, { method, target, ...(contentLength === undefined ? {} : { contentLength }) });
const codeOf = (result: ReturnType<typeof verify>): string => (result.ok ? 'ok' : result.error.code);

describe('a relay grant', () => {
  it('permits exactly what it was made for', async () => {
    const { url, method } = await write();
    expect(verify(method, targetOf(url), bytes.length)).toEqual({
      ok: true, value: { method: 'PUT', scope: 'repo_1~target_2', name, size: bytes.length, sha256: sha256Of([bytes]), expires: clock.now() + 60_000 },
    });
    const read = await signer.issue({ access: 'read', name, expires: clock.now() + 60_000 });
    expect(codeOf(verify('GET', targetOf(read.url)))).toBe('ok');
    expect(codeOf(verify('PUT', targetOf(read.url), 0))).toBe('grant-invalid');
  });

  it.each<[string, (target: string) => string]>([
    ['another scope', (target) => target.replace('repo_1', 'repo_2')], ['another name', (target) => target.replace('packs/ab', 'packs/ac')],
    ['a way out of the scope', (target) => target.replace('packs/ab', 'packs/../../repo_2')], ['a later end', (target) => target.replace(/e=\d/, 'e=9')],
    ['another length', (target) => target.replace(/l=\d+/, 'l=8')], ['another hash', (target) => target.replace(/h=../, 'h=00')],
    ['no hash', (target) => target.replace(/&h=[0-9a-f]+/, '')], ['another signature', (target) => target.replace(/s=...../, 's=AAAAA')],
    ['no signature', (target) => target.replace(/&s=.*/, '')], ['a short signature', (target) => target.slice(0, -4)], ['nothing', () => ''],
  ])('is refused with %s', async (_what, change) => {
    const target = change(targetOf((await write()).url));
    expect(codeOf(verify('PUT', target, 8))).toBe('grant-invalid');
  });

  it('is refused for another method, another length, by another secret and after its end', async () => {
    const target = targetOf((await write()).url);
    for (const method of ['GET', 'DELETE', 'POST', 'HEAD']) expect(codeOf(verify(method, target, bytes.length))).toBe('grant-invalid');
    expect(codeOf(verify('PUT', target, bytes.length + 1))).toBe('grant-length-mismatch');
    expect(codeOf(verify('PUT', target))).toBe('grant-length-mismatch');
    const other = verifyRelayGrant(randomBytes(32), clock, { method: 'PUT', target, contentLength: bytes.length });
    expect(other.ok).toBe(false);
    await clock.advance(60_000);
    expect(codeOf(verify('PUT', target, bytes.length))).toBe('grant-expired');
  });
});
