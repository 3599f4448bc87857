import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NatsConnection, connect, jwtAuthenticator } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inboxPrefixOf, newAgeKey, nkeyFromSeed } from '#identity';
import { silentLogger, systemClock } from '#kernel';
import { waitUntil } from '#testing';
import { type FakeMaster, withMaster } from './fake-master/testing.ts';
import { serve } from './serve.ts';
import { backupSpecification, childEnvironment, runId } from './testing.ts';

let master: FakeMaster;
let dir: string;
let close: () => Promise<void>;
let state: string;
let ending: AbortController;
let served: Promise<unknown>;
const rotationId = (n: number): string => `rot_${String(n).padStart(20, '0')}`;
const read = (name: string): string => readFileSync(join(state, name), 'utf8').trim();
const publicKey = (): string => nkeyFromSeed('user', read('nats.seed')).publicKey;

beforeEach(async () => {
  ({ master, dir, close } = await withMaster());
  state = join(dir, 'state');
});
afterEach(async () => {
  ending?.abort(new Error('end'));
  await served?.catch(() => undefined);
  await close();
});

const start = async (): Promise<void> => {
  await master.enrol(state);
  ending = new AbortController();
  const config = { stateDir: state, heapMb: 256, trialSeconds: 60, browse: ['all'], network: { direct: [], mayBeInsecure: false }, log: { level: 'info' } } as const;
  served = serve({ config, clock: systemClock, logger: silentLogger, environment: childEnvironment, signal: ending.signal });
  served.catch(() => undefined);
  await waitUntil(() => master.asked.some(({ method }) => method === 'sync'));
};
const speakAs = (jwt: string, seed: string): Promise<NatsConnection> => connect({
  servers: master.nats.url, authenticator: jwtAuthenticator(jwt, new TextEncoder().encode(seed)), inboxPrefix: inboxPrefixOf(master.node), reconnect: false,
});

describe('an agent that is told to rotate', () => {
  it('has a new key each time, in the middle of a backup that ends well and says so', async () => {
    const source = join(dir, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'a.bin'), Buffer.alloc(3_000_000, 'abcdefg'));
    const plan = backupSpecification([source]);
    const { recipient } = await newAgeKey();
    master.specification = () => ({ ...plan, repository: { ...plan.repository, dataRecipients: [recipient] } });
    // No grant is given until the keys are rotated: the backup hangs in the middle of its work.
    let open = false;
    master.override = (method, id) => (method === 'grant' && !open ? { id, status: 'refused', code: 'busy', detail: 'Later', retryable: true } : undefined);
    await start();
    await master.command(runId(1));
    await waitUntil(() => master.asked.some(({ method }) => method === 'grant'));
    const keys = [publicKey()];
    for (let n = 1; n <= 3; n++) {
      await master.rotate(rotationId(n));
      await waitUntil(() => master.takenUp.length === n);
      await waitUntil(() => publicKey() === master.successors.get(rotationId(n)));
      keys.push(publicKey());
    }
    expect(new Set(keys).size).toBe(4);
    expect(statSync(join(state, 'nats.seed')).mode & 0o777).toBe(0o600);
    open = true;
    const [first] = await master.reported();
    expect(first?.report).toMatchObject({ outcome: 'succeeded', claim: 'claim-1', attempt: 1 });
    expect(master.claims.size).toBe(1);
  });

  it('is told twice and rotates once, and the old key works beside the new one', async () => {
    await start();
    const old = [read('nats.jwt'), read('nats.seed')] as const;
    await master.rotate(rotationId(1));
    await master.rotate(rotationId(1));
    await waitUntil(() => master.takenUp.length === 1);
    await (await speakAs(...old)).close();
    await (await speakAs(read('nats.jwt'), read('nats.seed'))).close();
    await master.rotate(rotationId(2));
    await waitUntil(() => master.takenUp.length === 2);
    expect(master.asked.filter(({ method }) => method === 'rotate')).toHaveLength(2);
  });
});

describe('an agent whose token lives for seconds', () => {
  it('renews it before it runs out, again and again, and is never refused', async () => {
    master.tokenSeconds = 6;
    await start();
    const first = read('nats.jwt');
    await waitUntil(() => master.asked.filter(({ method }) => method === 'renew').length >= 3, 40_000);
    expect(read('nats.jwt')).not.toBe(first);
    const before = master.heard.heartbeats.length;
    await master.rotate(rotationId(1));
    await waitUntil(() => master.takenUp.length === 1);
    await waitUntil(() => master.heard.heartbeats.length > before);
  });
});
