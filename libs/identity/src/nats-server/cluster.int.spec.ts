import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '#kernel';
import { type TestNats, freePort, startNats, tempDir, waitUntil } from '#testing';
import { connect, jwtAuthenticator } from 'nats';
import { type InstallationKeys } from '../keys/installation-keys.ts';
import { initKeys } from '../keys/keys-folder.ts';
import { newClaimsReconciler } from '../nats/claims-reconciler.ts';
import { natsClaimsResolver } from '../nats/nats-resolver.ts';
import { newNkey } from '../nats/nkey.ts';
import { issueNodeToken, newMasterUser } from '../nats/tokens.ts';
import { natsConf } from './nats-conf.ts';

let keys: InstallationKeys;
let servers: TestNats[];
let system: NatsConnection;

const as = (account: 'control' | 'system', server: TestNats): Promise<NatsConnection> => {
  const user = newMasterUser(keys, account, 'test', systemClock.now());
  return connect({ servers: server.url, authenticator: jwtAuthenticator(user.jwt, Buffer.from(user.key.seed)), maxReconnectAttempts: -1, reconnectTimeWait: 100 });
};

beforeAll(async () => {
  keys = await initKeys(join(await tempDir('cluster'), 'keys'), systemClock);
  const clusterPorts = await Promise.all([freePort(), freePort(), freePort()]);
  servers = await Promise.all(clusterPorts.map(async (clusterPort, i) => startNats({
    configure: async ({ port, dir }) => natsConf(keys, {
      serverName: `n${i}`, listen: `127.0.0.1:${port}`, monitor: `127.0.0.1:${await freePort()}`, dataDir: dir, now: systemClock.now(),
      cluster: { name: 'test', listen: `127.0.0.1:${clusterPort}`, routes: clusterPorts.map((other) => `nats-route://127.0.0.1:${other}`) },
    }),
  })));
  system = await as('system', servers[0]!);
});
afterAll(async () => {
  await system?.close();
  await Promise.all((servers ?? []).map((server) => server.stop()));
});

describe('a cluster of three', () => {
  it('takes claims on every server, holds streams three times, and a server that was away learns of a revocation', async () => {
    const resolver = natsClaimsResolver(system);
    const reconciler = newClaimsReconciler({ keys, resolver, clock: systemClock, log: silentLogger });
    await waitUntil(async () => (await resolver.lookup(keys.agents.publicKey).catch(() => [])).length === 3);
    await waitUntil(async () => (await reconciler.control()) !== 'ahead');
    await waitUntil(() => reconciler.agents({ sequence: 1, time: 0, revoked: [] }));
    const master = await as('control', servers[1]!);
    await waitUntil(async () => {
      const manager = await master.jetstreamManager();
      return manager.streams.add({ name: 'T', subjects: ['hf.events.>'], num_replicas: 3 });
    });
    await master.jetstream().publish('hf.events.a.b', 'x');
    await master.close();

    const thief = newNkey('user');
    const { jwt } = issueNodeToken(keys, { nodeId: 'node_t', publicKey: thief.publicKey, now: systemClock.now() });
    const steal = (server: TestNats) => connect({ servers: server.url, authenticator: jwtAuthenticator(jwt, Buffer.from(thief.seed)), reconnect: false });
    await (await steal(servers[2]!)).close();
    await servers[2]!.kill();
    const now = Math.floor(systemClock.now() / 1000);
    await waitUntil(() => reconciler.agents({ sequence: 2, time: now, revoked: [{ publicKey: thief.publicKey, revokedAt: now, expiresAt: now + 86_400 }] }));
    await expect(steal(servers[1]!)).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
    await servers[2]!.restart();
    await waitUntil(async () => {
      await reconciler.agents({ sequence: 2, time: now, revoked: [{ publicKey: thief.publicKey, revokedAt: now, expiresAt: now + 86_400 }] });
      return steal(servers[2]!).then(async (connection) => { await connection.close(); return false; }, () => true);
    });
  });
});
