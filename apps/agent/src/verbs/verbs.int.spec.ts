import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { installationAuthority, serverCertificate } from '#embedded';
import { systemClock } from '#kernel';
import { enrolCommand } from '../enrol/enrol.command.ts';
import { withSettings } from './config-file.ts';
import { installVerb } from './install.verb.ts';
import { runVerb } from './run.verb.ts';
import { tokenOf } from './token.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-verbs-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(room, name), text, { mode: 0o600 });
  return join(room, name);
};
let server: Server;
let master: string;
let caFile: string;
let script: { status: number; text: string };
let asked: string[] = [];

beforeAll(async () => {
  const authority = await installationAuthority(room, systemClock);
  const { certificate, key } = await serverCertificate(authority, ['127.0.0.1'], systemClock.now());
  caFile = file('authority.pem', authority.certificate);
  server = createServer({ cert: certificate, key }, (request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(request.url?.startsWith('/install/') ? script.status : 401).end(script.text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  master = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => { asked = []; });
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(room, { recursive: true, force: true });
});

describe('a token', () => {
  const warned: string[] = [];
  const warn = (words: string): void => void warned.push(words);
  afterEach(() => { warned.length = 0; });

  it('comes from a file or the environment, without a word', () => {
    expect(tokenOf({ 'token-file': file('token', 'hfe_file\n') }, undefined, warn)).toBe('hfe_file');
    expect(tokenOf({}, 'hfe_env', warn)).toBe('hfe_env');
    expect(tokenOf({}, undefined, warn)).toBeUndefined();
    expect(() => tokenOf({ 'token-file': join(room, 'none') }, undefined, warn)).toThrow(expect.objectContaining({ code: 'token-unreadable' }));
    expect(warned).toEqual([]);
  });
  it('that stands among the arguments works, with a warning, and is wiped from where other users see it', () => {
    const before = process.title;
    expect(tokenOf({ token: 'hfe_argument' }, undefined, warn)).toBe('hfe_argument');
    expect(warned).toEqual([expect.stringContaining('every user of this host')]);
    expect(process.title).toBe('holdfast-agent');
    process.title = before;
  });
});

describe('install', () => {
  const install = (...more: string[]) => installVerb(['--master', master, '--ca', caFile, ...more], { PATH: '/usr/bin:/bin', HOLDFAST_ENROL_TOKEN: 'hfe_t' });

  it('runs the script of the link with the environment but without the token in it, and ends as that ends', async () => {
    script = { status: 200, text: `#!/bin/sh\n# holdfast-install v1\nmain() { env >${join(room, 'seen')}; exit 7; }\nmain </dev/null\n` };
    expect(await install()).toBe(7);
    expect(asked).toEqual(['/install/hfe_t']);
    expect(readFileSync(join(room, 'seen'), 'utf8')).toContain('PATH=/usr/bin:/bin');
    expect(readFileSync(join(room, 'seen'), 'utf8')).not.toContain('hfe_t');
  });
  it('refuses by name what is not the script: a page of a proxy, a server that has none', async () => {
    script = { status: 200, text: '<!DOCTYPE html>\n<html>\ntouch x' };
    await expect(install()).rejects.toMatchObject({ code: 'not-the-script', detail: expect.stringContaining('a web page') as string });
    script = { status: 404, text: 'no' };
    await expect(install()).rejects.toMatchObject({ code: 'not-the-script', detail: expect.stringContaining('status 404') as string });
  });
  it('trusts no master whose authority it was not given', async () => {
    await expect(installVerb(['--master', master], { HOLDFAST_ENROL_TOKEN: 'hfe_t' })).rejects.toMatchObject({ code: 'master-unreachable' });
    expect(asked).toEqual([]);
  });
  it('says what is missing', async () => {
    await expect(installVerb(['--master', 'm'], {})).rejects.toMatchObject({ code: 'invalid-arguments', detail: expect.stringContaining('--master') as string });
    await expect(installVerb(['--master', master], {})).rejects.toMatchObject({ code: 'invalid-arguments', detail: expect.stringContaining('token') as string });
  });
});

describe('--insecure-tls', () => {
  const args = (url: string): string[] => ['--master', url, '--state', join(room, 'state'), '--insecure-tls'];

  it('works for a master on this host only, or where the setting says that it is a test', async () => {
    script = { status: 200, text: '{}' };
    const variables = { HOLDFAST_ENROL_TOKEN: 'hfe_t' };
    await expect(enrolCommand(args('https://backup.example.com'), variables)).rejects.toMatchObject({ code: 'insecure-tls-refused' });
    expect(existsSync(join(room, 'state'))).toBe(false);
    // Past the certificate, to the master's own refusal.
    await expect(enrolCommand(args(master), variables)).rejects.toMatchObject({ code: 'master-refused' });
    await expect(enrolCommand(args(master).slice(0, -1), variables)).rejects.toMatchObject({ code: 'master-unreachable' });
    await expect(enrolCommand(args('https://backup.invalid'), { ...variables, HOLDFAST_TEST_INSECURE_TLS: 'true' })).rejects.toMatchObject({ code: 'master-unreachable' });
    await expect(runVerb(args('https://backup.example.com'), variables, undefined)).rejects.toMatchObject({ code: 'insecure-tls-refused' });
  });
});

describe('run', () => {
  it('refuses a directory for temporary files that is none, before anything is begun', async () => {
    const state = join(room, 'not-begun');
    await expect(runVerb(['--state', state, '--temp-dir', join(room, 'none')], {}, undefined)).rejects.toMatchObject({ code: 'invalid-arguments', detail: expect.stringContaining('--temp-dir') as string });
    expect(existsSync(state)).toBe(false);
  });
  it('says that a token is not used where the host is a node already, and how it would be', async () => {
    const state = join(room, 'a-node');
    mkdirSync(state, { mode: 0o700 });
    const facts = { node: 'node_00000000000000000001', master, natsUrls: ['nats://127.0.0.1:1'], commandKeys: [{ id: 'a', publicKey: 'b' }] };
    writeFileSync(join(state, 'node.json'), JSON.stringify(facts), { mode: 0o600 });
    const said = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    await runVerb(['--state', state, '--token-file', file('unused', 'hfe_t')], {}, undefined).catch((error: unknown) => { expect(error).toMatchObject({ code: 'identity-incomplete' }); });
    const words = said.mock.calls.map(([text]) => String(text)).join('');
    said.mockRestore();
    expect(words).toContain('node_00000000000000000001 already, so the token is not used');
    expect(words).toContain('enrol --again');
  });
});

describe('a file of settings', () => {
  it('goes before the environment, and unknown names in it are refused', async () => {
    const config = file('agent.env', `HOLDFAST_STATE_DIR=${join(room, 'elsewhere')}\n# a remark\nHOLDFAST_LOG_LEVEL=debug\n`);
    expect(withSettings(config, { HOLDFAST_LOG_LEVEL: 'info', PATH: '/bin' })).toEqual({ HOLDFAST_STATE_DIR: join(room, 'elsewhere'), HOLDFAST_LOG_LEVEL: 'debug', PATH: '/bin' });
    await expect(runVerb(['--config', config], {}, undefined)).rejects.toMatchObject({ code: 'not-enrolled', detail: expect.stringContaining('elsewhere') as string });
    await expect(runVerb(['--config', file('bad.env', 'HOLDFAST_STATE=x\n')], {}, undefined)).rejects.toMatchObject({ code: 'invalid-configuration' });
    await expect(runVerb(['--config', join(room, 'none.env')], {}, undefined)).rejects.toMatchObject({ code: 'config-unreadable' });
  });
});
