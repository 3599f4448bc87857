import { createHash, randomBytes } from 'node:crypto';
import { Events, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subjects } from '#contracts';
import { type InstallationKeys, deriveKey, inboxPrefixOf, newAgeKey, newNkey } from '#identity';
import { randomIds, rfc3339, silentLogger, systemClock } from '#kernel';
import { connectBus } from '#messaging';
import { relayGrantSigner } from '#storage';
import { waitUntil } from '#testing';
import type { Master } from './application.ts';
import { TestClient, type TestStack, adminPassword, startStack } from './testing.ts';

/** Waits until the assertions hold. */
const eventually = (check: () => Promise<unknown>) => waitUntil(async () => { await check(); return true; });

interface Problem { status: number; code: string; errors?: { field: string }[] }
interface Items<T> { items: T[]; nextCursor?: string }
interface NodeShown { id: string; name: string; revision: number; presence: string; drained: boolean; heartbeat?: { hostname: string; skewMs: number } }
interface Link { id: string; token: string }
interface EnrolledShown { node: string; jwt: string; natsUrls: string[]; commandKeys: { id: string }[]; installation: string }

const host = { hostname: 'db1.test', platform: 'linux', arch: 'x64', agentVersion: '1.0.0' };

describe('two masters on real NATS and Postgres', () => {
  let stack: TestStack;
  let [first, second]: [Master?, Master?] = [];
  let [api, other]: TestClient[] = [];
  let keys: InstallationKeys;

  beforeAll(async () => {
    stack = await startStack();
    // At once: they race for streams, migrations, the first event and the first admin.
    [first, second] = await Promise.all([stack.master(), stack.master()]);
    keys = stack.nats.keys;
    api = await new TestClient(first.url).login();
    other = await new TestClient(second.url).login();
  });
  afterAll(() => stack.stop());

  const addNode = async (name: string): Promise<string> => (await api!.json<{ id: string }>('POST', '/api/v1/nodes', { name })).id;
  const enrol = async (node: string) => {
    const key = newNkey('user');
    const link = await api!.json<Link>('POST', '/api/v1/enrolment-links', { node });
    const request = { token: link.token, publicKey: key.publicKey, recipient: (await newAgeKey()).recipient, host };
    return { key, request, answer: await other!.json<EnrolledShown>('POST', '/api/v1/enrol', request) };
  };
  const connectAgent = (node: string, jwt: string, seed: string): Promise<NatsConnection> => connectBus({
    urls: [stack.nats.url], name: node, inboxPrefix: inboxPrefixOf(node), credential: { jwt: () => jwt, seed }, clock: systemClock, log: silentLogger,
    signal: AbortSignal.timeout(10_000),
  });
  const beat = (node: string, instance = 'instance_a') => JSON.stringify({
    key: node, hostname: 'db1.test', ip: '10.0.0.1', mac: '00:00:00:00:00:00', master: 'm', version: '0.1.0', protocol: 1, instance,
    update_ts: rfc3339(systemClock.now() + 5_000), update_ts_unix: Math.floor(systemClock.now() / 1000), load: 0.5, slots: 1, running: 0,
  });
  const shown = (node: string) => other!.json<NodeShown>('GET', `/api/v1/nodes/${node}`);

  it('are ready, agree on the installation, and made one first admin', async () => {
    for (const client of [api!, other!]) {
      expect(await client.json('GET', '/health/ready')).toMatchObject({ status: 'ok' });
      expect(await client.json('GET', '/api/status')).toMatchObject({ success: true, role: 'master', installation: first!.foundation.installation });
      expect(await client.json('GET', '/api/v1/me')).toMatchObject({ name: 'admin', role: 'admin' });
    }
    const users = await api!.json<Items<{ name: string }>>('GET', '/api/v1/users');
    expect(users.items.map(({ name }) => name)).toEqual(['admin']);
    expect((await fetch(`${first!.url}/health/live`)).status).toBe(200);
    expect(await (await fetch(`${first!.url}/metrics`)).text()).toContain('holdfast_projection_position');
  });

  it('let nobody in without a log-in, a right password or a known key', async () => {
    const stranger = new TestClient(first!.url);
    expect(await stranger.json('GET', '/api/v1/nodes')).toMatchObject({ status: 401, code: 'not-logged-in' });
    expect(await stranger.json('POST', '/api/v1/sessions', { name: 'admin', password: 'wrong wrong wrong' })).toMatchObject({ status: 401, code: 'wrong-credentials' });
    expect(await stranger.json('GET', '/api/v1/nodes', undefined, { authorization: 'Bearer hfk_guess' })).toMatchObject({ status: 401 });
    expect(await stranger.json('GET', '/api/v1/nodes', undefined, { cookie: 'holdfast_session=hfs_x.y' })).toMatchObject({ status: 401 });
  });

  it('slow down who guesses passwords, on both masters together', async () => {
    const guess = (client: TestClient) => client.json<Problem>('POST', '/api/v1/sessions', { name: 'nobody', password: 'wrong wrong wrong' });
    for (let i = 0; i < 10; i++) expect((await guess(i % 2 ? api! : other!)).code).toBe('wrong-credentials');
    expect(await guess(other!)).toMatchObject({ status: 429, code: 'too-many-logins' });
  });

  it('show a write on either master as soon as it is answered', async () => {
    for (let i = 0; i < 10; i++) {
      const id = await addNode(`fresh ${i}`);
      expect(await shown(id)).toMatchObject({ id, name: `fresh ${i}`, presence: 'never' });
    }
  });

  it('give one name to one node, whoever asks where', async () => {
    const answers = await Promise.all([api!, other!, api!, other!].map((client) => client.call('POST', '/api/v1/nodes', { name: 'Contested' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    expect(await api!.json('POST', '/api/v1/nodes', { name: ' contested ' })).toMatchObject({ status: 400 });
  });

  it('do a write with an idempotency key once, and refuse the key for another', async () => {
    const send = (client: TestClient, name: string) => client.call('POST', '/api/v1/nodes', { name }, { 'idempotency-key': 'only-once' });
    const [a, b] = [await send(api!, 'keyed'), await send(other!, 'keyed')];
    expect([a.status, b.status, b.headers.get('idempotency-replayed')]).toEqual([201, 201, 'true']);
    expect(await a.json()).toEqual(await b.json());
    expect(await (await send(api!, 'another')).json()).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
  });

  it('page through lists without losing or repeating anything', async () => {
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const page = await api!.json<Items<NodeShown>>('GET', `/api/v1/nodes?limit=3${cursor}`);
      seen.push(...page.items.map(({ name }) => name));
      if (page.nextCursor === undefined) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    const all = (await api!.json<Items<NodeShown>>('GET', '/api/v1/nodes?limit=500')).items.map(({ name }) => name);
    expect(seen).toEqual(all);
    expect(seen.length).toBeGreaterThan(10);
    expect(await api!.json('GET', '/api/v1/nodes?cursor=bm9uc2Vuc2U')).toMatchObject({ status: 400, code: 'invalid-cursor' });
  });

  it('refuse a change of what somebody else changed meanwhile', async () => {
    const id = await addNode('edited');
    const path = `/api/v1/nodes/${id}`;
    expect((await api!.call('PATCH', path, { slots: 2, labels: { site: 'a' } }, { 'if-match': '"1"' })).status).toBe(204);
    expect(await other!.json('PATCH', path, { slots: 3 }, { 'if-match': '"1"' })).toMatchObject({ status: 412, code: 'stale-revision' });
    expect(await other!.json('GET', '/api/v1/nodes?label=site%3Da')).toMatchObject({ items: [{ id, slots: 2 }] });
    expect((await api!.call('POST', `${path}:drain`, { reason: 'disk' })).status).toBe(204);
    expect(await other!.json('GET', path)).toMatchObject({ drained: true, drainReason: 'disk', revision: 3 });
    expect((await api!.call('POST', `${path}:resume`)).status).toBe(204);
    expect(await api!.json('PATCH', path, { labels: { 'bad key!': 'x' } })).toMatchObject({ status: 400, errors: [{ field: 'labels.bad key!' }] });
  });

  it('enrol an agent with a link that works once, also when its answer was lost', async () => {
    const node = await addNode('enrolling');
    const { request, answer } = await enrol(node);
    expect(answer).toMatchObject({ node, name: 'enrolling', natsUrls: [stack.nats.url], commandKeys: [{ id: keys.commandSigning.id }] });
    expect(await api!.json('POST', '/api/v1/enrol', request)).toMatchObject({ node });
    expect(await api!.json('POST', '/api/v1/enrol', { ...request, publicKey: newNkey('user').publicKey })).toMatchObject({ status: 401, code: 'link-invalid' });
    expect(await api!.json('POST', '/api/v1/enrol', { ...request, token: 'hfe_guess' })).toMatchObject({ status: 401, code: 'link-invalid' });
    expect(await api!.json('POST', '/api/v1/enrol', { ...request, recipient: 'age1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' })).toMatchObject({ status: 400 });
  });

  it('see an agent come, be in doubt, and come back; measure its clock', async () => {
    const node = await addNode('present');
    const { key, answer } = await enrol(node);
    const agent = await connectAgent(node, answer.jwt, key.seed);
    agent.publish(subjects.heartbeat(node), beat(node));
    await eventually(async () => expect(await shown(node)).toMatchObject({ presence: 'online', heartbeat: { hostname: 'db1.test' } }));
    expect((await shown(node)).heartbeat?.skewMs).toBeGreaterThan(4_000);
    await agent.close();
    await eventually(async () => expect(await shown(node)).toMatchObject({ presence: 'suspect' }));
    const again = await connectAgent(node, answer.jwt, key.seed);
    again.publish(subjects.heartbeat(node), beat(node));
    await eventually(async () => expect(await shown(node)).toMatchObject({ presence: 'online' }));
    await again.close();
  });

  it('raise an alarm when two state directories speak as one node', async () => {
    const node = await addNode('cloned');
    const { key, answer } = await enrol(node);
    const agent = await connectAgent(node, answer.jwt, key.seed);
    for (const instance of ['one', 'two', 'one', 'two']) {
      agent.publish(subjects.heartbeat(node), beat(node, instance));
      await eventually(async () => {
        const rows = await first!.foundation.database.query<{ instance: string }[]>('select instance from live.heartbeats where node = $1 order by last_seen desc', [node]);
        expect(rows[0]?.instance).toBe(instance);
      });
    }
    await eventually(async () => expect(await shown(node)).toMatchObject({ duplicateHostname: 'db1.test' }));
    await agent.close();
  });

  it('raise an alarm when a copy of a state directory, byte for byte, speaks beside it; one that is started again is none', async () => {
    const node = await addNode('copied');
    const { key, answer } = await enrol(node);
    const agent = await connectAgent(node, answer.jwt, key.seed);
    const say = async (process: string) => {
      agent.publish(subjects.heartbeat(node), JSON.stringify({ ...(JSON.parse(beat(node)) as object), process, hostname: `host of ${process}` }));
      await eventually(async () => expect((await shown(node)).heartbeat?.hostname).toBe(`host of ${process}`));
    };
    for (const process of ['first', 'second', 'third']) await say(process);
    expect(await shown(node)).not.toHaveProperty('duplicateHostname');
    await say('second');
    await eventually(async () => expect(await shown(node)).toMatchObject({ duplicateHostname: 'host of third', alarms: [{ code: 'node-duplicated' }] }));
    await agent.close();
  });

  it('cut off a revoked node at once and keep it out', async () => {
    const node = await addNode('stolen');
    const { key, answer } = await enrol(node);
    const agent = await connectAgent(node, answer.jwt, key.seed);
    let cut = false;
    void (async () => { for await (const { type } of agent.status()) cut ||= type === Events.Disconnect; })();
    expect((await api!.call('POST', `/api/v1/nodes/${node}/credential:revoke`, { reason: 'stolen' })).status).toBe(204);
    await waitUntil(() => cut);
    await agent.close();
    expect(await other!.json('GET', `/api/v1/nodes/${node}/credentials`)).toMatchObject({ items: [{ status: 'revoked', reason: 'stolen' }] });
    const link = await api!.json<Link>('POST', '/api/v1/enrolment-links', { node });
    const back = { token: link.token, publicKey: key.publicKey, recipient: (await newAgeKey()).recipient, host };
    expect(await api!.json('POST', '/api/v1/enrol', back)).toMatchObject({ status: 422, code: 'key-revoked' });
  });

  it('let a viewer read and nothing else, an API key until it is revoked, a session until its user is disabled', async () => {
    const key = await api!.json<{ id: string; secret: string }>('POST', '/api/v1/api-keys', { name: 'ci', role: 'viewer' });
    const headers = { authorization: `Bearer ${key.secret}` };
    const program = new TestClient(second!.url);
    expect((await program.call('GET', '/api/v1/nodes', undefined, headers)).status).toBe(200);
    expect(await program.json('POST', '/api/v1/nodes', { name: 'x' }, headers)).toMatchObject({ status: 403, code: 'role-too-low' });
    expect(await program.json('GET', '/api/v1/users', undefined, headers)).toMatchObject({ status: 403 });
    expect((await api!.call('DELETE', `/api/v1/api-keys/${key.id}`)).status).toBe(204);
    expect((await program.call('GET', '/api/v1/nodes', undefined, headers)).status).toBe(401);

    const user = await api!.json<{ id: string }>('POST', '/api/v1/users', { name: 'Ada', role: 'operator', password: adminPassword });
    const ada = await new TestClient(second!.url).login('ada');
    expect(await ada.json('GET', '/api/v1/me')).toMatchObject({ name: 'Ada', role: 'operator' });
    expect((await api!.call('POST', `/api/v1/users/${user.id}:disable`)).status).toBe(204);
    expect((await ada.call('GET', '/api/v1/me')).status).toBe(401);
  });

  it('take a builtin target, test it for real, and relay exactly what a grant says', async () => {
    const { id } = await api!.json<{ id: string }>('POST', '/api/v1/targets', { name: 'disk', kind: 'builtin' });
    const test = await other!.json<{ passed: boolean; access: string; steps: unknown[] }>('POST', `/api/v1/targets/${id}:test`);
    expect(test).toMatchObject({ passed: true, access: 'relay' });
    expect(await api!.json('GET', `/api/v1/targets/${id}`)).toMatchObject({ kind: 'builtin', test: { passed: true } });

    const signer = relayGrantSigner({ secret: deriveKey(keys.cryptoSecret, 'relay grants'), baseUrl: first!.url, scope: id });
    const bytes = randomBytes(200_000);
    const sha256 = createHash('sha256').update(bytes).digest();
    const expires = systemClock.now() + 60_000;
    const put = await signer.issue({ access: 'write', name: 'packs/ab/one', size: bytes.length, sha256, expires });
    const send = (body: Uint8Array<ArrayBuffer>, url = put.url) => fetch(url, { method: 'PUT', body });
    expect((await send(randomBytes(bytes.length))).status).toBe(400);
    expect((await send(bytes.subarray(1))).status).toBe(400);
    expect((await send(bytes, put.url.replace('one', 'two'))).status).toBe(403);
    expect((await send(bytes)).status).toBe(201);
    expect((await send(bytes)).status).toBe(412);
    const get = await signer.issue({ access: 'read', name: 'packs/ab/one', expires });
    const whole = await fetch(get.url.replace(first!.url, second!.url));
    expect([whole.status, Buffer.compare(Buffer.from(await whole.arrayBuffer()), bytes)]).toEqual([200, 0]);
    const part = await fetch(get.url, { headers: { range: 'bytes=100-199' } });
    expect([part.status, Buffer.compare(Buffer.from(await part.arrayBuffer()), bytes.subarray(100, 200))]).toEqual([206, 0]);
    expect((await fetch(get.url, { headers: { range: 'bytes=999999-' } })).status).toBe(416);
    expect((await fetch(get.url, { method: 'HEAD' })).headers.get('content-length')).toBe('200000');
    expect((await fetch(get.url, { method: 'PUT', body: 'x' })).status).toBe(403);
  });

  it('tell a browser of what another master changed, and to read again after a gap', async () => {
    const open = async (headers: Record<string, string> = {}) => {
      const end = new AbortController();
      const answer = await fetch(`${first!.url}/api/v1/live?topics=nodes`, { headers: { cookie: api!.session, ...headers }, signal: end.signal });
      let text = '';
      const reading = (async () => {
        for await (const part of answer.body!.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) text += part;
      })().catch(() => undefined);
      return { text: () => text, close: async () => { end.abort(); await reading; } };
    };
    const stream = await open();
    await waitUntil(() => stream.text().includes('event: hello'));
    const { id } = await other!.json<{ id: string }>('POST', '/api/v1/nodes', { name: 'watched' });
    await waitUntil(() => stream.text().includes(id) && stream.text().includes('NodeAdded'));
    expect(stream.text()).not.toContain('event: reload');
    await stream.close();
    const late = await open({ 'last-event-id': '1' });
    await waitUntil(() => late.text().includes('event: reload'));
    await late.close();
    expect(await api!.json('GET', '/api/v1/live?topics=secrets')).toMatchObject({ status: 400, errors: [{ field: 'topics' }] });
  });

  it('keep an audit log of everything, with who and from where', async () => {
    const { id } = await other!.json<{ id: string }>('POST', '/api/v1/nodes', { name: 'audited' });
    expect((await api!.call('DELETE', `/api/v1/nodes/${id}`)).status).toBe(204);
    const page = await other!.json<Items<{ type: string; actor: string; from: string; data: object }>>('GET', `/api/v1/audit?subject=${id}`);
    expect(page.items.map(({ type }) => type)).toEqual(['NodeRemoved', 'NodeAdded']);
    expect(page.items[1]).toMatchObject({ from: '127.0.0.1', data: { name: 'audited' } });
    expect(page.items[1]?.actor).toMatch(/^user:user_/);
    const removals = await other!.json<Items<{ type: string }>>('GET', '/api/v1/audit?type=NodeRemoved&limit=1');
    expect(removals.items).toHaveLength(1);
    const first = await api!.json<Items<{ type: string; sequence: number }>>('GET', '/api/v1/audit?type=InstallationCreated');
    expect(first.items).toMatchObject([{ sequence: 1 }]);
    expect((await api!.json<Items<object>>('GET', '/api/v1/audit?until=2020-01-01T00:00:00Z')).items).toEqual([]);
  });

  it('describe themselves in OpenAPI 3.1', async () => {
    const document = await api!.json<{ openapi: string; paths: Record<string, object> }>('GET', '/api/openapi.json');
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/api/v1/nodes/{id}:drain', '/api/v1/tasks', '/api/v1/runs', '/api/v1/live']));
    expect(Object.keys(document.paths).some((path) => path.startsWith('/relay'))).toBe(false);
  });

  it('keep a node and a target that a task names', async () => {
    const node = await addNode('needed');
    const { id: target } = await api!.json<{ id: string }>('POST', '/api/v1/targets', { name: 'needed', kind: 'builtin' });
    const task = { name: 'nightly', nodes: [node], target, source: { type: 'files', paths: ['/etc'] } };
    expect(await other!.json('POST', '/api/v1/tasks', task)).toHaveProperty('id');
    expect(await api!.json('DELETE', `/api/v1/targets/${target}`)).toMatchObject({ status: 409, code: 'target-in-use' });
    expect(await api!.json('DELETE', `/api/v1/nodes/${node}`)).toMatchObject({ status: 409, code: 'node-in-use' });
  });

  it('keep the secret of an S3 target out of answers, events and the clear', async () => {
    const secretAccessKey = `secret-${randomIds.next('key')}`;
    const s3 = { endpoint: 'http://127.0.0.1:9', bucket: 'backups', accessKeyId: 'AK', secretAccessKey };
    const { id } = await api!.json<{ id: string }>('POST', '/api/v1/targets', { name: 'offsite', kind: 's3', s3 });
    const answer = await (await api!.call('GET', `/api/v1/targets/${id}`)).text();
    const events = await first!.foundation.pool.query<{ data: string }>('select data::text from archive.events where aggregate_id = $1', [id]);
    const sealed = await first!.foundation.pool.query<{ sealed: Buffer }>('select sealed from vault.target_secrets where target = $1', [id]);
    expect(sealed.rows).toHaveLength(1);
    for (const text of [answer, events.rows[0]?.data ?? '', sealed.rows[0]?.sealed.toString('latin1') ?? '']) {
      expect(text.length).toBeGreaterThan(20);
      expect(text).not.toContain(secretAccessKey);
    }
  });
});
