import { once } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { tempDir } from '#testing';
import { type Authority, installationAuthority, serverCertificate } from './authority.ts';

let dir: string;
let authority: Authority;
let server: Server;

const reach = async (options: { readonly ca?: string; readonly servername?: string }): Promise<string> => {
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options });
  try {
    await once(socket, 'secureConnect');
    return 'trusted';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
};

beforeAll(async () => {
  dir = await tempDir('authority');
  authority = await installationAuthority(dir, systemClock);
  const { certificate, key } = await serverCertificate(authority, ['127.0.0.1', 'backup.example.org'], systemClock.now());
  server = createServer({ cert: certificate, key }).on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => server.close());

describe('a certificate of the installation', () => {
  it('is trusted by whoever has the authority, under each of its names', async () => {
    expect(await reach({ ca: authority.certificate })).toBe('trusted');
    expect(await reach({ ca: authority.certificate, servername: 'backup.example.org' })).toBe('trusted');
  });

  it('is not trusted under another name, nor without the authority, nor with another one', async () => {
    const other = await installationAuthority(await tempDir('other-authority'), systemClock);
    expect(await reach({ ca: authority.certificate, servername: 'other.example.org' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await reach({})).not.toBe('trusted');
    expect(await reach({ ca: other.certificate })).not.toBe('trusted');
  });
});

describe('the authority', () => {
  it('stays the same, and its key is for its owner only', async () => {
    expect((await installationAuthority(dir, systemClock)).certificate).toBe(authority.certificate);
    expect((await stat(join(dir, 'ca.key'))).mode & 0o777).toBe(0o600);
  });

  it('is not replaced when its key was lost: every agent trusts the old one', async () => {
    const lost = await tempDir('lost-authority');
    await installationAuthority(lost, systemClock);
    await rm(join(lost, 'ca.key'));
    await expect(installationAuthority(lost, systemClock)).rejects.toMatchObject({ code: 'authority-incomplete' });
  });
});
