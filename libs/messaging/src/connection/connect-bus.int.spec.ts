import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inboxPrefixOf, issueNodeToken, newNkey } from '#identity';
import { silentLogger, systemClock } from '#kernel';
import { type TestOperatorNats, freePort, startNats, waitUntil } from '#testing';
import { watchBus } from './bus-health.ts';
import { connectBus } from './connect-bus.ts';

let nats: TestOperatorNats;
beforeAll(async () => { nats = await startNats({ operatorMode: true }); });
afterAll(() => nats.stop());

describe('connecting', () => {
  it('goes on trying until the bus is there, or until told to stop', async () => {
    const failures: string[] = [];
    const abort = new AbortController();
    const log = { ...silentLogger, warn: (message: string) => { failures.push(message); if (failures.length === 2) abort.abort(new Error('enough')); } };
    const waiting = connectBus({ urls: [`nats://127.0.0.1:${await freePort()}`], name: 'x', clock: systemClock, log, signal: abort.signal });
    await expect(waiting).rejects.toThrow('enough');
    expect(failures).toHaveLength(2);
  });

  it('outlives the end of its token: it comes back with the renewed one', async () => {
    const key = newNkey('user');
    const token = (seconds: number): string =>
      issueNodeToken(nats.keys, { nodeId: 'node_a', publicKey: key.publicKey, now: systemClock.now(), lifeSeconds: seconds }).jwt;
    let jwt = token(2);
    const bus = await connectBus({
      urls: [nats.url], name: 'agent', inboxPrefix: inboxPrefixOf('node_a'), credential: { jwt: () => jwt, seed: key.seed }, clock: systemClock, log: silentLogger,
    });
    const health = watchBus(bus, silentLogger);
    let reconnections = 0;
    health.onReconnect(() => { reconnections += 1; });
    await waitUntil(() => !health.isConnected());
    jwt = token(600);
    await waitUntil(() => health.isConnected() && reconnections > 0);
    // The old token may have been good for one more moment.
    await waitUntil(() => bus.flush().then(() => true, () => false));
    await bus.close();
    await health.closed;
    expect(health.isConnected()).toBe(false);
  });
});
