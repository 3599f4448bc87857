import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '#kernel';
import { type TestNats, freePort, startNats, tempDir, waitUntil } from '#testing';
import { connect, jwtAuthenticator } from 'nats';
import { type InstallationKeys } from '../keys/installation-keys.ts';
import { initKeys } from '../keys/keys-folder.ts';
import { type CredentialState, originOf } from '../nats/accounts.ts';
import { type ClaimsReconciler, type ClaimsResolver, newClaimsReconciler } from '../nats/claims-reconciler.ts';
import { decodeJwt } from '../nats/jwt.ts';
import { natsClaimsResolver } from '../nats/nats-resolver.ts';
import { type Nkey, newNkey } from '../nats/nkey.ts';
import { issueNodeToken, newMasterUser } from '../nats/tokens.ts';
import { natsConf } from './nats-conf.ts';

let keys: InstallationKeys;
let clusterPorts: number[];
let servers: TestNats[];
let system: NatsConnection;
let resolver: ClaimsResolver;
let reconciler: ClaimsReconciler;

const as = (account: 'control' | 'system', server: TestNats): Promise<NatsConnection> => {
  const user = newMasterUser(keys, account, 'test', systemClock.now());
  return connect({ servers: server.url, authenticator: jwtAuthenticator(user.jwt, Buffer.from(user.key.seed)), maxReconnectAttempts: -1, reconnectTimeWait: 100 });
};

/** Starts server `n<i>` of the cluster, with a folder of its own. */
const start = (i: number): Promise<TestNats> => startNats({
  configure: async ({ port, dir }) => natsConf(keys, {
    serverName: `n${i}`, listen: `127.0.0.1:${port}`, monitor: `127.0.0.1:${await freePort()}`, dataDir: dir, now: systemClock.now(),
    cluster: { name: 'test', listen: `127.0.0.1:${clusterPorts[i]}`, routes: clusterPorts.slice(0, 3).map((other) => `nats-route://127.0.0.1:${other}`) },
  }),
});
const server = (i: number): TestNats => servers[i] as TestNats;
const accountsOf = (i: number): string => join(server(i).dir, 'accounts');
/** Sequence of the claims of AGENTS that server `n<i>` keeps on its disk; -1 where it keeps none. */
const keptBy = (i: number): number => {
  const file = join(accountsOf(i), `${keys.agents.publicKey}.jwt`);
  return existsSync(file) ? originOf(decodeJwt(readFileSync(file, 'utf8')).nats).sequence : -1;
};
const now = (): number => Math.floor(systemClock.now() / 1000);
const revoking = (sequence: number, ...revoked: readonly Nkey[]): CredentialState =>
  ({ sequence, time: now(), revoked: revoked.map(({ publicKey }) => ({ publicKey, revokedAt: now(), expiresAt: now() + 86_400 })) });
const enter = (i: number, key: Nkey): Promise<NatsConnection> => {
  // Issued before whatever revokes it: a revocation is of the tokens issued until then.
  const { jwt } = issueNodeToken(keys, { nodeId: 'node_t', publicKey: key.publicKey, now: systemClock.now() - 60_000 });
  return connect({ servers: server(i).url, authenticator: jwtAuthenticator(jwt, Buffer.from(key.seed)), reconnect: false });
};
const present = async (...names: readonly string[]): Promise<boolean> => (await resolver.servers()).present.join() === names.join();

beforeAll(async () => {
  keys = await initKeys(join(await tempDir('cluster'), 'keys'), systemClock);
  clusterPorts = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  servers = await Promise.all([start(0), start(1), start(2)]);
  system = await as('system', server(0));
  resolver = natsClaimsResolver(system);
  reconciler = newClaimsReconciler({ keys, resolver, clock: systemClock, log: silentLogger });
  await waitUntil(() => present('n0', 'n1', 'n2'));
});
afterAll(async () => {
  await system?.close();
  await Promise.all((servers ?? []).map((one) => one.stop()));
});

describe('a cluster of three', () => {
  it('takes claims on every server, and holds streams three times', async () => {
    await waitUntil(() => reconciler.control());
    await waitUntil(() => reconciler.agents(revoking(1)));
    expect([keptBy(0), keptBy(1), keptBy(2)]).toEqual([1, 1, 1]);
    expect(reconciler.coverage()).toEqual({ current: ['n0', 'n1', 'n2'], behind: [], away: [] });
    const master = await as('control', server(1));
    await waitUntil(async () => {
      const manager = await master.jetstreamManager();
      return manager.streams.add({ name: 'T', subjects: ['hf.events.>'], num_replicas: 3 });
    });
    await master.jetstream().publish('hf.events.a.b', 'x');
    await master.close();
  });

  it('a server that was away is named meanwhile, and learns of the revocation when it is back', async () => {
    const thief = newNkey('user');
    await (await enter(2, thief)).close();
    // Only a leader of the cluster knows who belongs to it.
    await waitUntil(async () => (await resolver.servers()).away.length === 0 && (await reconciler.agents(revoking(1))) === 'unchanged');
    await server(2).kill();
    await waitUntil(() => present('n0', 'n1'));
    await waitUntil(() => reconciler.agents(revoking(2, thief)));
    await waitUntil(async () => (await resolver.servers()).away.join() === 'n2');
    expect(await reconciler.agents(revoking(2, thief))).toBe('unchanged');
    expect(reconciler.coverage()).toEqual({ current: ['n0', 'n1'], behind: [], away: ['n2'] });
    await expect(enter(1, thief)).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
    expect(keptBy(2)).toBe(1);
    await server(2).restart();
    await waitUntil(() => present('n0', 'n1', 'n2'));
    await waitUntil(async () => (await reconciler.agents(revoking(2, thief))) && keptBy(2) === 2);
    await expect(enter(2, thief)).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
    expect(reconciler.coverage()).toEqual({ current: ['n0', 'n1', 'n2'], behind: [], away: [] });
  });

  it('a server that lost what it kept gets both accounts again, running or started anew', async () => {
    const thief = newNkey('user');
    expect(await reconciler.agents(revoking(3, thief))).toBe('pushed');
    for (const file of readdirSync(accountsOf(1))) rmSync(join(accountsOf(1), file));
    // A server believes that it still has what it was given: the same token is no news to it, that of the next second is.
    expect([await waitUntil(() => reconciler.agents(revoking(3, thief))), await waitUntil(() => reconciler.control())]).toEqual(['pushed', 'pushed']);
    expect([keptBy(0), keptBy(1), keptBy(2)]).toEqual([3, 3, 3]);
    await server(2).kill();
    rmSync(accountsOf(2), { recursive: true });
    await server(2).restart();
    await waitUntil(() => present('n0', 'n1', 'n2'));
    await waitUntil(async () => (await reconciler.agents(revoking(3, thief))) && (await reconciler.control()) && keptBy(2) === 3);
    await expect(enter(2, thief)).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
    await (await as('control', server(2))).close();
  });

  it('a server that cannot keep them is named, and the others have them all the same', async () => {
    rmSync(accountsOf(1), { recursive: true });
    writeFileSync(accountsOf(1), 'not a folder');
    await expect(reconciler.agents(revoking(4))).rejects.toMatchObject({ code: 'claims-not-taken', retryable: true, detail: expect.stringContaining('n1') as string });
    expect(reconciler.coverage()).toMatchObject({ current: ['n0', 'n2'], behind: ['n1'] });
    expect([keptBy(0), keptBy(1), keptBy(2)]).toEqual([4, -1, 4]);
    rmSync(accountsOf(1));
    mkdirSync(accountsOf(1));
    expect(await waitUntil(() => reconciler.agents(revoking(4)))).toBe('pushed');
    expect(reconciler.coverage()?.behind).toEqual([]);
  });

  it('a server that joins gets them, and no server ever gets older ones', async () => {
    servers.push(await start(3));
    await waitUntil(() => present('n0', 'n1', 'n2', 'n3'));
    await waitUntil(async () => (await reconciler.agents(revoking(4))) && (await reconciler.control()) && keptBy(3) === 4);
    expect(await reconciler.agents(revoking(3))).toBe('ahead');
    expect([keptBy(0), keptBy(1), keptBy(2), keptBy(3)]).toEqual([4, 4, 4, 4]);
  });
});
