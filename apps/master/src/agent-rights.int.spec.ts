import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveKey, newAgeKey, newNkey } from '#identity';
import { systemClock } from '#kernel';
import { relayGrantSigner } from '#storage';
import type { Master } from './application.ts';
import { TestClient, type TestStack, startStack } from './testing.ts';

/** Every operation of the interface, from the file that `check:openapi` keeps equal to the code: a new one is tried here by itself. */
const document = JSON.parse(readFileSync(join(import.meta.dirname, '../../../docs/openapi.json'), 'utf8')) as { paths: Record<string, Record<string, unknown>> };
const methods = ['get', 'post', 'put', 'patch', 'delete', 'head'];
const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item).filter((method) => methods.includes(method)).map((method) => `${method.toUpperCase()} ${path}`));

/** What answers without a log-in, each for its reason. A new one is entered here, or this fails. */
const open: Readonly<Record<string, string>> = {
  'GET /health/live': 'for orchestrators', 'GET /health/ready': 'for orchestrators', 'GET /api/status': 'for people and load balancers',
  'POST /api/v1/sessions': 'is the log-in', 'POST /api/v1/enrol': 'the token in the body is the proof', 'POST /api/v1/install/status': 'the link in the body is the proof',
  'GET /install/{link}': 'the link is the proof', 'GET /api/v1/agent/{version}/{file}': 'a program that everybody may have',
  'POST /api/v1/agent/credential:challenge': 'gives a random word', 'POST /api/v1/agent/credential:renew': 'the signature of the node\'s key in the body is the proof',
};

let stack: TestStack;
let master: Master;
/** What is on a host or passes by it, by name. */
let secrets: Record<string, string>;
let grant: URL;
let node: string;

beforeAll(async () => {
  stack = await startStack();
  master = await stack.master();
  const api = await new TestClient(master.url).login();
  node = (await api.json<{ id: string }>('POST', '/api/v1/nodes', { name: 'thief' })).id;
  const { id: target } = await api.json<{ id: string }>('POST', '/api/v1/targets', { name: 'disk', kind: 'builtin' });
  const [key, age] = [newNkey('user'), await newAgeKey()];
  const link = () => api.json<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
  const spent = (await link()).token;
  const host = { hostname: 'h', platform: 'linux', arch: 'x64', agentVersion: '1.0.0' };
  const { jwt } = await api.json<{ jwt: string }>('POST', '/api/v1/enrol', { token: spent, publicKey: key.publicKey, recipient: age.recipient, host });
  const signer = relayGrantSigner({ secret: deriveKey(stack.nats.keys.cryptoSecret, 'relay grants'), baseUrl: master.url, scope: target });
  grant = new URL((await signer.issue({ access: 'read', name: `${node}/packs/00/x`, expires: systemClock.now() + 600_000 })).url);
  secrets = { jwt, seed: key.seed, 'public key': key.publicKey, 'age identity': age.identity, 'spent token': spent, 'unspent token': (await link()).token, grant: grant.toString(), 'grant signature': grant.searchParams.get('s') ?? '' };
});
afterAll(() => stack.stop());

const ask = (operation: string, headers: Record<string, string> = {}, query = ''): Promise<Response> => {
  const [method = '', path = ''] = operation.split(' ');
  const filled = path.replace(/\{(\w+)\}/g, () => node);
  const body = ['POST', 'PUT', 'PATCH'].includes(method) ? { body: '{}', headers: { 'content-type': 'application/json', ...headers } } : { headers };
  return fetch(`${master.url}${filled}${query}`, { method, ...body, redirect: 'manual', signal: AbortSignal.timeout(30_000) });
};
/** Places in which somebody might show a credential. */
const shown = (secret: string): Record<string, string>[] => [
  { authorization: `Bearer ${secret}` }, { authorization: `Basic ${Buffer.from(`admin:${secret}`).toString('base64')}` }, { cookie: `holdfast_session=${encodeURIComponent(secret)}` },
  { 'x-api-key': secret },
];

describe('at the masters\' door a node\'s credentials are worth nothing', () => {
  it('there is something to try', () => {
    expect(operations.length).toBeGreaterThan(50);
    expect(operations).toEqual(expect.arrayContaining(Object.keys(open)));
  });

  it.each(operations.filter((operation) => !(operation in open)))('%s', async (operation) => {
    expect((await ask(operation)).status, 'a stranger').toBe(401);
    for (const [name, secret] of Object.entries(secrets)) {
      for (const headers of shown(secret)) {
        const answer = await ask(operation, headers);
        await answer.body?.cancel();
        expect([401, 403], `${name} as ${Object.keys(headers).join()}`).toContain(answer.status);
      }
    }
    expect([401, 403], 'the query of a grant').toContain((await ask(operation, {}, grant.search)).status);
  });

  it.each(Object.keys(open))('%s answers everybody alike', async (operation) => {
    const stranger = await ask(operation);
    for (const secret of Object.values(secrets)) expect((await ask(operation, { authorization: `Bearer ${secret}` })).status).toBe(stranger.status);
  });

  it('a grant opens its own object and nothing beside it', async () => {
    const at = (change: (url: URL) => void, method = 'GET') => {
      const url = new URL(grant);
      change(url);
      return fetch(url, { method, ...(method === 'PUT' ? { body: 'x' } : {}) });
    };
    expect((await at(() => undefined)).status, 'its own object, which is not there').toBe(404);
    for (const method of ['PUT', 'DELETE', 'POST', 'PATCH']) expect([403, 404, 405], method).toContain((await at(() => undefined, method)).status);
    for (const [from, to] of [['packs/00/x', 'packs/00/y'], [node, 'node_other'], ['packs/00/x', ''], ['packs/00/x', '../../x']] as const) {
      expect([400, 403, 404], to).toContain((await at((url) => { url.pathname = url.pathname.replace(from, to); })).status);
    }
    for (const name of grant.searchParams.keys()) expect([400, 403], name).toContain((await at((url) => url.searchParams.set(name, '9999999999999'))).status);
  });
});
