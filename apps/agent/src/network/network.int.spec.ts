import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { installationAuthority, serverCertificate } from '#embedded';
import { silentLogger, systemClock } from '#kernel';
import { connectBus, watchBus } from '#messaging';
import { type TestNats, freePort, removeTempDir, startNats, tempDir, waitUntil } from '#testing';
import { type NetworkSettings, dialOf, httpOf } from './network.ts';
import { type TestProxy, startHttpProxy, startSocksProxy } from './testing.ts';

const start = { http: startHttpProxy, socks5: startSocksProxy, socks5h: startSocksProxy };
const kinds = ['http', 'socks5', 'socks5h'] as const;
/** Names that no name server knows: whoever reaches them has left it to the proxy. */
const names = ['backup.invalid', 'bus.invalid'];

let room: string;
let ca: string;
let server: Server;
let port: number;
let nats: TestNats;
let proxies: TestProxy[] = [];

beforeAll(async () => {
  room = await tempDir('network');
  const authority = await installationAuthority(room, systemClock);
  ca = authority.certificate;
  const { certificate, key } = await serverCertificate(authority, ['127.0.0.1', ...names], systemClock.now());
  server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => response.end(`${request.method} ${Buffer.concat(chunks).length}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  const [certFile, keyFile] = [join(room, 'cert.pem'), join(room, 'key.pem')];
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, key, { mode: 0o600 });
  nats = await startNats({ configure: (place) => `listen: "127.0.0.1:${place.port}"\ntls { cert_file: "${certFile}", key_file: "${keyFile}" }\n` });
});
afterEach(async () => {
  for (const proxy of proxies) await proxy.stop();
  proxies = [];
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await nats.stop();
  removeTempDir(room);
});

const proxyFor = async (kind: (typeof kinds)[number], login?: string): Promise<TestProxy> => {
  const proxy = await start[kind]({ names, ...(login ? { login } : {}) });
  proxies.push(proxy);
  return proxy;
};
const ask = async (settings: NetworkSettings, host: string, body?: Uint8Array): Promise<string> => {
  const http = httpOf(settings.insecureTls === false ? settings : { ca, ...settings });
  try {
    const answer = await http({ method: 'POST', url: `https://${host}:${port}/`, headers: {}, ...(body ? { body: [body] } : {}), maxBytes: 1000, signal: AbortSignal.timeout(10_000) });
    return Buffer.from(answer.body).toString();
  } finally {
    http.close();
  }
};

describe.each(kinds)('a host behind a %s proxy', (kind) => {
  const host = kind === 'socks5' ? '127.0.0.1' : 'backup.invalid';

  it('reaches HTTPS servers whose certificates it checks, names left to the proxy', async () => {
    const proxy = await proxyFor(kind);
    expect(await ask({ proxy: `${kind}://${proxy.host}` }, host, Buffer.alloc(3_000_000))).toBe('POST 3000000');
    expect(proxy.asked).toEqual([`${host}:${port}`]);
    await expect(ask({ proxy: `${kind}://${proxy.host}`, insecureTls: false }, host)).rejects.toThrow(/certificate/);
  });
  it('logs in, and says so when it may not', async () => {
    const proxy = await proxyFor(kind, 'a b:c:d');
    expect(await ask({ proxy: `${kind}://a%20b:c%3Ad@${proxy.host}` }, host)).toBe('POST 0');
    for (const login of ['', 'a:b@']) {
      const refused = await ask({ proxy: `${kind}://${login}${proxy.host}` }, host).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'proxy-refused', detail: expect.stringMatching(/log-in/) as string });
      expect(String(refused)).not.toContain('c:d');
    }
  });
  it('names the proxy that cannot be reached, and what the proxy cannot reach', async () => {
    const proxy = await proxyFor(kind);
    await expect(ask({ proxy: `${kind}://${proxy.host}` }, kind === 'socks5' ? '10.255.255.1' : 'other.invalid')).rejects.toMatchObject({ code: 'proxy-refused' });
    await expect(ask({ proxy: `${kind}://127.0.0.1:${await freePort()}` }, host)).rejects.toMatchObject({ code: 'proxy-unreachable' });
  });
  it('reaches what is excepted without it', async () => {
    const proxy = await proxyFor(kind);
    expect(await ask({ proxy: `${kind}://${proxy.host}`, direct: ['.example.com', '127.0.0.1'] }, '127.0.0.1')).toBe('POST 0');
    expect(proxy.asked).toEqual([]);
  });

  describe('on the bus', () => {
    let bus: NatsConnection;
    afterEach(() => bus?.close());

    it('speaks NATS over TLS through it, with big messages, and comes back through it when it was cut', async () => {
      const proxy = await proxyFor(kind);
      const dial = dialOf({ proxy: `${kind}://${proxy.host}` });
      const name = kind === 'socks5' ? '127.0.0.1' : 'bus.invalid';
      bus = await connectBus({ urls: [`tls://${name}:${nats.port}`], name: 'agent', ca, clock: systemClock, log: silentLogger, ...(dial ? { dial } : {}) });
      const health = watchBus(bus, silentLogger);
      let reconnections = 0;
      health.onReconnect(() => { reconnections += 1; });
      const bytes = new Uint8Array(900_000).fill(7);
      bus.subscribe('echo', { callback: (_error, message) => void message.respond(message.data) });
      expect(Buffer.compare((await bus.request('echo', bytes, { timeout: 10_000 })).data, bytes)).toBe(0);
      expect(proxy.asked).toEqual([`${name}:${nats.port}`]);
      proxy.cut();
      await waitUntil(() => reconnections > 0);
      expect((await bus.request('echo', bytes, { timeout: 10_000 })).data).toHaveLength(bytes.length);
      expect(proxy.asked).toHaveLength(2);
    });
  });
});

describe('the proxies of this test', () => {
  it.runIf(existsSync('/usr/bin/curl')).each(kinds)('are such as others know them: curl goes through the %s one', async (kind) => {
    const proxy = await proxyFor(kind, 'a:b');
    writeFileSync(join(room, 'ca-of-curl.pem'), ca);
    const host = kind === 'socks5' ? '127.0.0.1' : 'backup.invalid';
    const curl = spawn('curl', ['-sS', '--cacert', join(room, 'ca-of-curl.pem'), '--proxytunnel', '--proxy', `${kind}://a:b@${proxy.host}`, `https://${host}:${port}/`]);
    let [out, words] = ['', ''];
    curl.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
    curl.stderr.on('data', (chunk: Buffer) => { words += chunk.toString(); });
    await once(curl, 'close');
    expect({ out, words }).toEqual({ out: 'GET 0', words: '' });
    expect(proxy.asked).toEqual([`${host}:${port}`]);
  });
});
