import { join } from 'node:path';
import { type NatsConnection, connect, jwtAuthenticator } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, SignedMessage, type TokenAnswer, decodeMessage, encodeMessage, subjects } from '#contracts';
import { type InstallationKeys, type Nkey, inboxPrefixOf, initKeys, natsConf, newAgeKey, newNkey, openMessage, prove } from '#identity';
import { randomIds, rfc3339, silentLogger, systemClock } from '#kernel';
import { readConfig } from '#config';
import { type TestDatabase, type TestNats, freePort, removeTempDir, startDatabase, startNats, tempDir, waitUntil } from '#testing';
import { type Master, startMaster } from '../../application.ts';
import { MasterConfig } from '../../platform/config/master.config.ts';
import { version } from '../../platform/version.ts';
import { TestClient, adminPassword } from '../../testing.ts';

interface Speaker {
  readonly node: string;
  readonly key: Nkey;
  readonly jwt: string;
}

const host = { hostname: 'db1.test', platform: 'linux', arch: 'x64', agentVersion: version };
let dir: string;
let keys: InstallationKeys;
let servers: TestNats[] = [];
let postgres: TestDatabase;
let masters: Master[] = [];
let [api, other]: TestClient[] = [];

const startServers = async (): Promise<TestNats[]> => {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`);
  return Promise.all(ports.map((port, i) => startNats({
    configure: async (own) => natsConf(keys, {
      serverName: `n${i}`, listen: `127.0.0.1:${own.port}`, monitor: `127.0.0.1:${await freePort()}`, dataDir: own.dir, now: systemClock.now(),
      cluster: { name: 'test', listen: `127.0.0.1:${port}`, routes },
    }),
  })));
};
/** A master whose connections begin at server `i`. */
const startOn = async (i: number): Promise<Master> => {
  const config = readConfig(MasterConfig, {
    HOLDFAST_NATS_URL: servers[i]?.url ?? '', HOLDFAST_POSTGRES_URL: postgres.url, HOLDFAST_KEYS_DIR: join(dir, 'keys'), HOLDFAST_DATA_DIR: dir,
    HOLDFAST_HTTP_PORT: '0', HOLDFAST_FIRST_ADMIN_PASSWORD: adminPassword, HOLDFAST_STREAM_REPLICAS: '3',
  });
  return startMaster({ config, clock: systemClock, ids: randomIds, logger: silentLogger }, new AbortController().signal);
};

beforeAll(async () => {
  dir = await tempDir('cluster-master');
  keys = await initKeys(join(dir, 'keys'), systemClock);
  [servers, postgres] = await Promise.all([startServers(), startDatabase()]);
  masters = [await startOn(0), await startOn(1)];
  [api, other] = await Promise.all(masters.map(({ url }) => new TestClient(url).login()));
}, 120_000);
afterAll(async () => {
  await Promise.all(masters.map((master) => master.stop()));
  await Promise.all([...servers.map((server) => server.stop()), postgres?.stop()]);
  removeTempDir(dir);
}, 60_000);

const enrol = async (name: string): Promise<Speaker> => {
  const node = (await api!.json<{ id: string }>('POST', '/api/v1/nodes', { name })).id;
  const { token } = await api!.json<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
  const key = newNkey('user');
  const { jwt } = await other!.json<{ jwt: string }>('POST', '/api/v1/enrol', { token, publicKey: key.publicKey, recipient: (await newAgeKey()).recipient, host });
  return { node, key, jwt };
};
/** At this server and no other one. */
const connectAt = (server: TestNats, { node, key, jwt }: Speaker): Promise<NatsConnection> => connect({
  servers: server.url, authenticator: jwtAuthenticator(jwt, new TextEncoder().encode(key.seed)), inboxPrefix: inboxPrefixOf(node), reconnect: false, ignoreClusterUpdates: true,
});
const isRefusedEverywhere = async (speaker: Speaker): Promise<void> => {
  for (const server of servers) await expect(connectAt(server, speaker)).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
};

describe('a cluster of three NATS servers', () => {
  it('cuts a revoked node off on every one of them, wherever the master is, and keeps it out', async () => {
    const speaker = await enrol('stolen');
    const connections = await Promise.all(servers.map((server) => connectAt(server, speaker)));
    const away = connections.map((connection) => connection.getServer()).filter((server) => server !== masters[0]?.foundation.bus.getServer());
    expect(away.length).toBeGreaterThanOrEqual(2);
    const began = performance.now();
    const cuts = connections.map((connection) => connection.closed().then(() => performance.now() - began));
    expect((await api!.call('POST', `/api/v1/nodes/${speaker.node}/credential:revoke`, { reason: 'stolen' })).status).toBe(204);
    const answered = performance.now() - began;
    const times = await Promise.all(cuts);
    await isRefusedEverywhere(speaker);
    process.stdout.write(`revoked: cut off on three servers after ${times.map((ms) => Math.round(ms)).join(', ')} ms; answered after ${Math.round(answered)} ms\n`);
  });

  it('takes a new key on every one of them as soon as it is there, and the old one on none after its grace', async () => {
    const old = await enrol('rotating');
    const [one, two, three] = servers as [TestNats, TestNats, TestNats];
    const bus = await connectAt(three, old);
    await waitUntil(async () => {
      bus.publish(subjects.heartbeat(old.node), encodeMessage({
        key: old.node, hostname: host.hostname, ip: '10.0.0.1', mac: '', master: 'm', version, protocol: 1, instance: 'instance_a', update_ts: rfc3339(systemClock.now()),
        update_ts_unix: Math.floor(systemClock.now() / 1000), load: 0, slots: 1, running: 0,
      }));
      return (await api!.json<{ presence: string }>('GET', `/api/v1/nodes/${old.node}`)).presence === 'online';
    });
    const { rotation } = await api!.json<{ rotation: string }>('POST', `/api/v1/nodes/${old.node}/credential:rotate`, { graceSeconds: 20 });
    const key = newNkey('user');
    const reply = await bus.request(subjects.ask(old.node, 'rotate'), encodeMessage({
      id: randomIds.next('cmd'), rotation, current: old.key.publicKey, publicKey: key.publicKey,
      proof: prove(old.key, 'rotate', rotation, old.node, key.publicKey), newProof: prove(key, 'rotate', rotation, old.node, key.publicKey),
    }), { timeout: 10_000 });
    const answer = openMessage([keys.commandSigning], 'answer', old.node, decodeMessage(SignedMessage, reply.data)) as Answer<TokenAnswer>;
    if (answer.status !== 'ok') throw new Error(answer.code);
    const fresh: Speaker = { ...old, key, jwt: answer.value.jwt };
    for (const server of [one, two, three]) await (await connectAt(server, fresh)).close();
    // It speaks until its grace is over, and is cut off then.
    await bus.flush();
    await bus.closed();
    await waitUntil(() => isRefusedEverywhere(old).then(() => true));
    for (const server of servers) await (await connectAt(server, fresh)).close();
  });
});
