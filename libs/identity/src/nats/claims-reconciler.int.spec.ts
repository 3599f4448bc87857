import { Events, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '#kernel';
import { type TestOperatorNats, startNats, waitUntil } from '#testing';
import type { CredentialState } from './accounts.ts';
import { type ClaimsResolver, newClaimsReconciler } from './claims-reconciler.ts';
import { natsClaimsResolver } from './nats-resolver.ts';

let nats: TestOperatorNats;
let system: NatsConnection;
let resolver: ClaimsResolver;
beforeAll(async () => {
  nats = await startNats({ operatorMode: true });
  system = await nats.connectMaster('system');
  resolver = natsClaimsResolver(system);
});
afterAll(async () => {
  await system?.close();
  await nats?.stop();
});

const reconciler = (over: ClaimsResolver = resolver) => newClaimsReconciler({ keys: nats.keys, resolver: over, clock: systemClock, log: silentLogger });
const seconds = (): number => Math.floor(systemClock.now() / 1000);
const revoking = (sequence: number, ...keys: readonly string[]): CredentialState => ({
  sequence, time: seconds(), revoked: keys.map((publicKey) => ({ publicKey, revokedAt: seconds(), expiresAt: seconds() + 86_400 })),
});

describe('claims reconciler', () => {
  it('a revocation disconnects a live agent at once and keeps it out; others stay', async () => {
    const [bad, good] = [nats.newCredential('node_bad'), nats.newCredential('node_good')];
    const [thief, honest] = [await nats.connectAgent(bad, { reconnect: false }), await nats.connectAgent(good)];
    const drops: string[] = [];
    void (async () => { for await (const { type } of honest.status()) if (type === Events.Disconnect) drops.push(type); })();
    const started = performance.now();
    expect(await reconciler().agents(revoking(10, bad.key.publicKey))).toBe('pushed');
    await thief.closed();
    // By the push itself: a token ends after days, a lost connection is noticed after minutes.
    expect(performance.now() - started).toBeLessThan(20_000);
    await expect(nats.connectAgent(bad, { reconnect: false })).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
    await honest.flush();
    expect(drops).toEqual([]);
    await honest.close();
  });

  it('older claims never replace newer ones, so a revocation is never undone', async () => {
    const bad = nats.newCredential('node_old');
    expect(await reconciler().agents(revoking(30, bad.key.publicKey))).toBe('pushed');
    expect(await reconciler().agents(revoking(20))).toBe('ahead');
    expect(await reconciler().agents(revoking(30, bad.key.publicKey))).toBe('unchanged');
    await expect(nats.connectAgent(bad, { reconnect: false })).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  });

  it('survives a kill of the server, and the first start pushes both accounts', async () => {
    const bad = nats.newCredential('node_kept');
    await reconciler().agents(revoking(40, bad.key.publicKey));
    await nats.kill();
    await nats.restart();
    await waitUntil(() => resolver.lookup(nats.keys.agents.publicKey));
    expect(await reconciler().control()).toBe('unchanged');
    expect(await reconciler().agents(revoking(40))).toBe('unchanged');
    await expect(nats.connectAgent(bad, { reconnect: false })).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  });

  it('says so when the servers do not take what was pushed', async () => {
    const deaf: ClaimsResolver = { ...resolver, push: async () => [] };
    await expect(reconciler(deaf).agents(revoking(99))).rejects.toThrow('claims-not-taken');
  });

  it('a token that is none is refused by name', async () => {
    await expect(resolver.push('nonsense')).rejects.toThrow('claims-refused');
  });
});
