import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignedMessage, decodeMessage, encodeMessage, subjects } from '#contracts';
import { type Nkey, inboxPrefixOf, newAgeKey, newNkey, openMessage, signReply } from '#identity';
import { rfc3339, silentLogger, systemClock } from '#kernel';
import { connectBus } from '#messaging';
import { waitUntil } from '#testing';
import { TestClient, type TestStack, startStack } from '../../testing.ts';

/** An agent whose answers the test writes. */
interface Agent {
  readonly node: string;
  readonly bus: NatsConnection;
  readonly key: Nkey;
  /** What it was asked, last. */
  asked: { method: string; params: Record<string, unknown> } | undefined;
}

let stack: TestStack;
let api: TestClient;
beforeAll(async () => {
  stack = await startStack();
  api = await new TestClient((await stack.master()).url).login();
});
afterAll(() => stack.stop());

const addNode = async (name: string): Promise<string> => (await api.json<{ id: string }>('POST', '/api/v1/nodes', { name })).id;

/** Enrols a node and connects as its agent; `answer` makes the content of an answer, undefined: there is none. */
const agentOf = async (name: string, answer?: (request: { id: string; method: string }) => object | undefined, signer?: Nkey): Promise<Agent> => {
  const node = await addNode(name);
  const key = newNkey('user');
  const { token } = await api.json<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
  const { jwt } = await api.json<{ jwt: string }>('POST', '/api/v1/enrol', {
    token, publicKey: key.publicKey, recipient: (await newAgeKey()).recipient, host: { hostname: 'h', platform: 'linux', arch: 'x64', agentVersion: '0.0.9' },
  });
  const bus = await connectBus({ urls: [stack.nats.url], name: node, inboxPrefix: inboxPrefixOf(node), credential: { jwt: () => jwt, seed: key.seed }, clock: systemClock, log: silentLogger });
  const agent: Agent = { node, bus, key, asked: undefined };
  if (answer) {
    bus.subscribe(subjects.rpc(node, '*'), {
      callback: (_, message) => {
        const request = openMessage([stack.nats.keys.commandSigning], 'rpc', node, decodeMessage(SignedMessage, message.data)) as { id: string; method: string; params: Record<string, unknown>; sealTo: string };
        agent.asked = request;
        const content = answer(request);
        if (content) void signReply(signer ?? key, node, content, request.sealTo).then((reply) => message.respond(encodeMessage(reply)));
      },
    });
  }
  bus.publish(subjects.heartbeat(node), encodeMessage({
    key: node, hostname: 'h', ip: '10.0.0.1', mac: '', master: 'm', version: '0.0.9', protocol: 1, instance: 'one', update_ts: rfc3339(systemClock.now()),
    update_ts_unix: Math.floor(systemClock.now() / 1000), load: 0, slots: 1, running: 0,
  }));
  await waitUntil(async () => (await api.json<{ presence: string }>('GET', `/api/v1/nodes/${node}`)).presence === 'online');
  return agent;
};
const browse = (node: string, query = '') => api.json('GET', `/api/v1/nodes/${node}/browse${query}`);

describe('looking into a host', () => {
  it('asks for the directory by its bytes, and shows what the agent said', async () => {
    const odd = Buffer.from([0x2f, 0x61, 0xff]);
    const agent = await agentOf('looked at', ({ id }) => ({
      id, status: 'ok', value: {
        total: 3, next64: Buffer.from('z').toString('base64'),
        entries: [
          { name: 'plain', type: 'file', size: 5, mode: 0o640, uid: 0, gid: 7, user: 'root', mtimeMs: 0 }, { name64: Buffer.from([0xfe]).toString('base64'), type: 'directory', size: 0 },
          { name: 'gone', error: 'EACCES' },
        ],
      },
    }));
    const page = await browse(agent.node, '?path=/srv/&limit=3&cursor=Yg');
    expect(agent.asked?.params).toEqual({ path64: Buffer.from('/srv').toString('base64'), limit: 3, after64: Buffer.from('b').toString('base64') });
    expect(page).toEqual({
      path: '/srv', total: 3, nextCursor: Buffer.from('z').toString('base64url'),
      items: [
        { name: 'plain', path: '/srv/plain', type: 'file', size: 5, mode: '0640', user: 'root', group: '7', modified: '1970-01-01T00:00:00.000Z' },
        { name: '\\xfe', path: '/srv/\\xfe', path64: Buffer.concat([Buffer.from('/srv/'), Buffer.from([0xfe])]).toString('base64'), type: 'directory', size: 0 },
        { name: 'gone', path: '/srv/gone', error: 'EACCES' },
      ],
    });
    expect(await browse(agent.node, `?path64=${encodeURIComponent(odd.toString('base64'))}`)).toMatchObject({ path: '/a\\xff' });
    expect(agent.asked?.params).toMatchObject({ path64: odd.toString('base64'), limit: 200 });
    await agent.bus.close();
  });

  it('tells what keeps a directory from being listed as data', async () => {
    const agent = await agentOf('closed', ({ id }) => ({ id, status: 'ok', value: { total: 0, entries: [], error: 'EACCES' } }));
    expect(await browse(agent.node)).toEqual({ path: '/', items: [], total: 0, error: 'EACCES' });
    await agent.bus.close();
  });

  it('lists discoveries with how each was found', async () => {
    const found = [{ kind: 'postgresql', path: '/data', running: true, sockets: [], ports: ['127.0.0.1:5432'], evidence: [{ by: 'process', detail: 'postgres, number 1' }] }];
    const agent = await agentOf('searched', ({ id }) => ({ id, status: 'ok', value: { found, notes: [{ code: 'EACCES', detail: 'x' }] } }));
    expect(await api.json('GET', `/api/v1/nodes/${agent.node}/discoveries`)).toEqual({ items: found, notes: [{ code: 'EACCES', detail: 'x' }] });
    await agent.bus.close();
  });

  it.each(['?path=etc', '?path=/a/../b', '?path=/a%00b', '?path=//a', '?path=', '?path64=%25', '?path=/a&path64=Lw==', '?limit=0', '?limit=1001', '?limit=x', '?cursor=%20', '?sort=x'])(
    'refuses %s before anybody is asked', async (query) => {
      expect(await browse('node_0', query)).toMatchObject({ status: 400, code: expect.stringMatching(/^(invalid-|text-not-storable)/) as string });
    });

  it('refuses a path that is longer than any system takes', async () => {
    expect(await browse('node_0', `?path=/${'x'.repeat(4096)}`)).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it('is nothing for a viewer', async () => {
    const { secret } = await api.json<{ secret: string }>('POST', '/api/v1/api-keys', { name: 'eyes', role: 'viewer' });
    for (const path of ['browse', 'discoveries']) {
      const answer = await new TestClient(api.url).json('GET', `/api/v1/nodes/node_0/${path}`, undefined, { authorization: `Bearer ${secret}` });
      expect(answer).toMatchObject({ status: 403, code: 'role-too-low' });
    }
  });
});

describe('a host that cannot be looked into is told by name', () => {
  it('unknown, removed, never enrolled', async () => {
    expect(await browse('node_00000000000000000000')).toMatchObject({ status: 404, code: 'node-not-found' });
    const node = await addNode('short life');
    expect(await browse(node)).toMatchObject({ status: 409, code: 'node-not-enrolled' });
    await api.call('DELETE', `/api/v1/nodes/${node}`);
    expect(await browse(node)).toMatchObject({ status: 404, code: 'node-not-found' });
  });

  it('offline', async () => {
    const agent = await agentOf('leaving', ({ id }) => ({ id, status: 'ok', value: { total: 0, entries: [] } }));
    await agent.bus.close();
    await waitUntil(async () => (await api.json<{ presence: string }>('GET', `/api/v1/nodes/${agent.node}`)).presence !== 'online');
    expect(await browse(agent.node)).toMatchObject({ status: 503, code: 'node-offline' });
  });

  it('revoked', async () => {
    const agent = await agentOf('revoked', ({ id }) => ({ id, status: 'ok', value: { total: 0, entries: [] } }));
    expect((await api.call('POST', `/api/v1/nodes/${agent.node}/credential:revoke`)).status).toBe(204);
    expect(await browse(agent.node)).toMatchObject({ status: 409, code: 'node-revoked' });
    await agent.bus.close();
  });

  it('too old to take questions, or this one', async () => {
    const mute = await agentOf('mute');
    expect(await browse(mute.node)).toMatchObject({ status: 409, code: 'agent-too-old', detail: expect.stringContaining('0.0.9') as string });
    const old = await agentOf('old', ({ id }) => ({ id, status: 'refused', code: 'unknown-method', detail: 'What?', retryable: false }));
    expect(await browse(old.node)).toMatchObject({ status: 409, code: 'agent-too-old' });
    await Promise.all([mute.bus.close(), old.bus.close()]);
  });

  it('silent: the caller waits seconds, not for ever', async () => {
    const agent = await agentOf('silent', () => undefined);
    expect(await browse(agent.node)).toMatchObject({ status: 503, code: 'node-answers-late' });
    await agent.bus.close();
  });

  it('refusing or busy, in its own words', async () => {
    const agent = await agentOf('narrow', ({ id, method }) => ({ id, status: 'refused', code: method === 'browse' ? 'browse-not-allowed' : 'busy', detail: 'No', retryable: method !== 'browse' }));
    expect(await browse(agent.node)).toMatchObject({ status: 422, code: 'browse-not-allowed' });
    expect(await api.json('GET', `/api/v1/nodes/${agent.node}/discoveries`)).toMatchObject({ status: 503, code: 'busy' });
    await agent.bus.close();
  });

  it('not itself: a foreign key, or an answer that is none', async () => {
    const value = { total: 0, entries: [] };
    const foreign = await agentOf('foreign', ({ id }) => ({ id, status: 'ok', value }), newNkey('user'));
    const odd = await agentOf('odd', ({ id }) => ({ id, status: 'ok', value: { ...value, entries: [{ name: 'x', size: -1, type: 'door' }] } }));
    for (const { node } of [foreign, odd]) expect(await browse(node)).toMatchObject({ status: 422, code: 'reply-not-trusted' });
    await Promise.all([foreign.bus.close(), odd.bus.close()]);
  });
});
