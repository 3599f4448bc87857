import { randomBytes } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Grant, GrantRequest } from '#contracts';
import { type Clock, hasCode, systemClock } from '#kernel';
import { s3Program, startS3, tempDir } from '#testing';
import { sha256Of } from '../bytes.ts';
import { fsStore } from '../fs/fs.adapter.ts';
import { memoryStore } from '../memory/memory.adapter.ts';
import type { ObjectReader, ObjectStore } from '../object-store.port.ts';
import { s3Client } from '../s3/s3-client.ts';
import { s3Store } from '../s3/s3.adapter.ts';
import type { GrantSigner } from './grant.port.ts';
import { grantedStore } from './granted-store.ts';
import type { HttpSend } from './http.port.ts';
import { nodeHttp } from './node-http.ts';
import { receiveObject } from './receive-object.ts';
import { relayGrantSigner, verifyRelayGrant } from './relay-grants.ts';
import { s3GrantSigner } from './s3-grants.ts';
import { testTarget } from './test-target.ts';

interface Place { readonly store: ObjectStore; readonly signer: GrantSigner; readonly stop: () => Promise<void> }

const secret = randomBytes(32);

const reply = (response: ServerResponse, status: number, body: Uint8Array | string = '', headers: Record<string, string> = {}): void => {
  response.writeHead(status, headers).end(body);
};

/** What a master does with a relay request, in short. */
const relay = (store: ObjectStore, clock: Clock) => async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const length = request.headers['content-length'];
  const verified = verifyRelayGrant(secret, clock, {
    method: request.method ?? '', target: (request.url ?? '').replace(/^\/relay\//, ''), ...(length ? { contentLength: Number(length) } : {}),
  });
  if (!verified.ok) return reply(response, verified.error.kind === 'validation' ? 400 : 403, JSON.stringify(verified.error));
  const grant = verified.value;
  try {
    if (grant.method === 'PUT') return reply(response, (await receiveObject(store, request, grant)) === 'created' ? 201 : 412);
    const bytes = await store.get(grant.name);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) return reply(response, 200, bytes);
    const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    if (from >= bytes.length) return reply(response, 416, '', { 'content-range': `bytes */${bytes.length}` });
    return reply(response, 206, bytes.subarray(from, to + 1), { 'content-range': `bytes ${from}-${to}/${bytes.length}` });
  } catch (error) {
    reply(response, hasCode(error, 'object-not-found') ? 404 : 400, JSON.stringify({ code: (error as { code: string }).code }));
  }
};

const relayPlace = async (store: ObjectStore): Promise<Place> => {
  const server = http.createServer((request, response) => void relay(store, systemClock)(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async (): Promise<void> => { server.closeAllConnections(); server.close(); };
  return { store, signer: relayGrantSigner({ secret, baseUrl, scope: 'repo_1' }), stop };
};

const s3Place = async (): Promise<Place> => {
  const server = await startS3();
  const location = { bucket: 'granted', endpoint: server.endpoint, credentials: server.credentials, prefix: 'installation/' };
  const client = s3Client(location);
  await client.send(new CreateBucketCommand({ Bucket: 'granted' }));
  return { store: s3Store({ ...location, client }), signer: s3GrantSigner({ ...location, client }), stop: async () => { client.destroy(); await server.stop(); } };
};

const places: [string, boolean, () => Promise<Place>][] = [
  ['a folder behind the relay', true, async () => relayPlace(fsStore(await tempDir('relay')))],
  ['any store behind the relay', true, async () => relayPlace(memoryStore())],
  ['S3 with presigned requests', s3Program() !== undefined && s3Program() !== 'swift', s3Place],
];

describe('a server that ignores what it is asked for and sends without end', () => {
  let server: http.Server;
  let endpoint = '';
  const client = nodeHttp();
  beforeAll(async () => {
    server = http.createServer((request, response) => {
      const endless = async function* () { while (!response.destroyed) yield Buffer.alloc(65_536, 'a'); };
      response.writeHead(request.url?.includes('broken') ? 500 : 200, { 'content-type': 'application/octet-stream' });
      Readable.from(endless()).pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });

  const clients: [string, () => ObjectReader][] = [
    ['through grants', () => grantedStore({
      http: client, retry: { attempts: 1 },
      requestGrants: async (requests) => requests.map(({ name }) => ({ name, method: 'GET', url: `${endpoint}/${name}`, headers: {}, expiresAt: '2126-01-01T00:00:00.000Z' })),
    })],
    ['by the S3 protocol', () => s3Store({ bucket: 'hostile', endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })],
  ];
  it.each(clients)('fills no memory of who reads %s', async (_name, make) => {
    const store = make();
    await expect(store.get('packs/a', undefined, { maxBytes: 100_000 })).rejects.toMatchObject({ code: 'object-too-large', detail: expect.stringContaining('100000') as string });
    expect(Buffer.from(await store.get('packs/a', { offset: 70_000, length: 5 })).toString()).toBe('aaaaa');
  });

  it('is not believed to know how large an object is, and its endless complaint is read to no end', async () => {
    const store = clients[0]?.[1]();
    await expect(store?.head('packs/a')).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(store?.get('broken/a')).rejects.toMatchObject({ code: 'storage-unavailable' });
  });
});

describe.each(places)('%s', (_name, available, prepare) => {
  describe.runIf(available)('grants', () => {
    let place: Place;
    const http = nodeHttp();
    beforeAll(async () => { place = await prepare(); });
    afterAll(async () => { http.close(); await place.stop(); });

    const answer = (requests: readonly GrantRequest[], expires = Date.now() + 60_000): Promise<Grant[]> =>
      Promise.all(requests.map(({ access, name, size, sha256 }) => place.signer.issue({
        access, name, expires, ...(size === undefined ? {} : { size }), ...(sha256 ? { sha256: Buffer.from(sha256, 'hex') } : {}),
      })));
    const agent = (send: HttpSend = http, requestGrants = (requests: readonly GrantRequest[]) => answer(requests)) =>
      grantedStore({ requestGrants, http: send, retry: { firstDelayMs: 1, maxDelayMs: 2 } });
    const object = (size = 100_000) => {
      const bytes = randomBytes(size);
      const hash = sha256Of([bytes]);
      return { bytes, sha256: hash, name: `packs/${hash.toString('hex').slice(0, 2)}/${hash.toString('hex')}` };
    };

    it('the target test finds that every abuse of a grant is refused', async () => {
      const result = await testTarget({ store: place.store, signer: place.signer, http });
      expect(result.checks.filter((check) => !check.passed)).toEqual([]);
      expect(result).toMatchObject({ usable: true, access: 'direct' });
      const left = [];
      for await (const info of place.store.list('holdfast-target-test/')) left.push(info.name);
      expect(left).toEqual([]);
    });

    it('a host without a credential writes and reads through them', async () => {
      const { bytes, sha256, name } = object(2_000_000);
      expect(await agent().put(name, [bytes.subarray(0, 5), bytes.subarray(5)], { sha256 })).toBe('created');
      expect(await agent().put(name, [bytes], { sha256 })).toBe('exists');
      expect(Buffer.compare(await agent().get(name), bytes)).toBe(0);
      expect(Buffer.compare(await agent().get(name, { offset: 1_000, length: 50 }), bytes.subarray(1_000, 1_050))).toBe(0);
      expect(await agent().head(name)).toEqual({ name, size: 2_000_000 });
      expect(await agent().head('packs/none')).toBeUndefined();
      await expect(agent().get('packs/none')).rejects.toMatchObject({ code: 'object-not-found' });
      await expect(agent().get(name, { offset: 1_999_999, length: 2 })).rejects.toMatchObject({ code: 'object-truncated' });
    });

    it('what is wanted at the same time is asked for together', async () => {
      const asked: number[] = [];
      const store = agent(http, (requests) => { asked.push(requests.length); return answer(requests); });
      const objects = Array.from({ length: 70 }, () => object(100));
      await Promise.all(objects.map(({ name, bytes, sha256 }) => store.put(name, [bytes], { sha256 })));
      expect(asked).toEqual([64, 6]);
    });

    it('a write whose answer was lost is repeated and is one object', async () => {
      const { bytes, sha256, name } = object();
      let lost = 0;
      const flaky: HttpSend = async (request) => {
        const result = await http(request);
        if (lost++ === 0) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
        return result;
      };
      expect(await agent(flaky).put(name, [bytes], { sha256 })).toBe('exists');
      expect(Buffer.compare(await place.store.get(name), bytes)).toBe(0);
    });

    it('an expired grant is asked for again, and a refusal is believed in the end', async () => {
      const { bytes, sha256, name } = object();
      let asked = 0;
      const late = agent(http, (requests) => answer(requests, Date.now() + (asked++ === 0 ? -60_000 : 60_000)));
      expect(await late.put(name, [bytes], { sha256 })).toBe('created');
      expect(asked).toBe(2);
      const never = agent(http, (requests) => answer(requests, Date.now() - 60_000));
      const second = object();
      await expect(never.put(second.name, [second.bytes], { sha256: second.sha256 })).rejects.toMatchObject({ code: 'storage-denied', retryable: false });
      expect(await place.store.head(second.name)).toBeUndefined();
    });

    it('bytes that are not the announced ones are refused by the target', async () => {
      const { sha256, name } = object();
      await expect(agent().put(name, [randomBytes(100_000)], { sha256 })).rejects.toMatchObject({ code: 'object-mismatch' });
      expect(await place.store.head(name)).toBeUndefined();
    });

    it('an answer for another object than the one asked for is not used', async () => {
      const { bytes, sha256, name } = object();
      const confused = agent(http, (requests) => answer(requests.map((request) => ({ ...request, name: 'packs/another' }))));
      await expect(confused.put(name, [bytes], { sha256 })).rejects.toMatchObject({ code: 'grant-malformed' });
    });
  });
});
