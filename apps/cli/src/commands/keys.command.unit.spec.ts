import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { decodeJwt, nkeyFromSeed } from '#identity';
import { runCommandLine } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';

let folder: string;
let written: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it('prints a credentials file whose token belongs to its seed, may only look, and ends', async () => {
  expect(await runCommandLine(['keys', 'init', join(folder, 'keys')])).toBe(exitCodes.ok);
  written = [];
  expect(await runCommandLine(['keys', 'credential', join(folder, 'keys'), '--hours', '2'])).toBe(exitCodes.ok);
  const [, jwt = '', seed = ''] = /USER JWT-----\n(\S+)\n[^]*NKEY SEED-----\n(\S+)\n/.exec(written.join('')) ?? [];
  const claims = decodeJwt(jwt);
  expect(nkeyFromSeed('user', seed).publicKey).toBe(claims.sub);
  expect((claims.exp ?? 0) - claims.iat).toBe(7200);
  expect(claims.nats).toMatchObject({ pub: { allow: expect.not.arrayContaining([expect.stringMatching(/CREATE|DELETE|PURGE|^hf\./)]) } });
});

it.each(['0', '-1', 'soon', '1000'])('refuses %s hours', async (hours) => {
  await runCommandLine(['keys', 'init', join(folder, 'keys')]);
  expect(await runCommandLine(['keys', 'credential', join(folder, 'keys'), `--hours=${hours}`])).not.toBe(exitCodes.ok);
});
