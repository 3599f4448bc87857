import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomIds, silentLogger, systemClock } from '#kernel';
import { readConfig } from '#config';
import { startNats, tempDir, waitUntil } from '#testing';
import { type Master, startMaster } from './application.ts';
import { MasterConfig } from './platform/config/master.config.ts';
import { TestClient, type TestStack, startStack } from './testing.ts';

describe('a master whose servers fail', () => {
  let stack: TestStack;
  let master: Master;
  let api: TestClient;
  beforeAll(async () => {
    stack = await startStack();
    master = await stack.master();
    api = await new TestClient(master.url).login();
  }, 120_000);
  afterAll(() => stack.stop());

  const status = async (path: string): Promise<number> => (await api.call('GET', path)).status;
  const ready = (expected: number) => waitUntil(async () => (await status('/health/ready')) === expected, 30_000);

  it('says 503 with a code while Postgres is away, and goes on when it is back', async () => {
    await stack.postgres.kill();
    const answer = await api.json('GET', '/api/v1/nodes');
    expect(answer).toMatchObject({ status: 503, code: 'database-unavailable' });
    await ready(503);
    expect(await api.json('GET', '/api/status')).toMatchObject({ success: false, indicators: { postgres: { status: 'down' } } });
    expect(await status('/health/live')).toBe(200);
    await stack.postgres.restart();
    await ready(200);
    await waitUntil(async () => (await api.call('POST', '/api/v1/nodes', { name: 'after postgres' })).status === 201, 30_000);
  });

  it('goes on when NATS is back, with the streams that were in memory', async () => {
    await stack.nats.kill();
    await ready(503);
    await stack.nats.restart();
    await ready(200);
    await waitUntil(async () => (await api.call('POST', '/api/v1/nodes', { name: 'after nats' })).status === 201, 30_000);
    const manager = await master.foundation.bus.jetstreamManager();
    await waitUntil(() => manager.streams.info('HEARTBEATS').then(() => true), 30_000);
    const { items } = await api.json<{ items: { name: string }[] }>('GET', '/api/v1/nodes');
    expect(items.map(({ name }) => name)).toEqual(['after nats', 'after postgres']);
  });

  it('refuses a log of another installation than its archive', async () => {
    const foreign = await startNats({ operatorMode: true });
    const config = readConfig(MasterConfig, {
      HOLDFAST_NATS_URL: foreign.url, HOLDFAST_POSTGRES_URL: stack.postgres.url, HOLDFAST_KEYS_DIR: foreign.keysDir, HOLDFAST_DATA_DIR: await tempDir('foreign'),
      HOLDFAST_HTTP_PORT: '0',
    });
    const start = startMaster({ config, clock: systemClock, ids: randomIds, logger: silentLogger }, new AbortController().signal);
    await expect(start).rejects.toThrow('foreign-event');
    await foreign.stop();
  });

  it('refuses to start without keys, naming the command that makes them', async () => {
    const dir = await tempDir('no-keys');
    const config = readConfig(MasterConfig, { HOLDFAST_KEYS_DIR: `${dir}/keys`, HOLDFAST_HTTP_PORT: '0' });
    const start = startMaster({ config, clock: systemClock, ids: randomIds, logger: silentLogger }, new AbortController().signal);
    await expect(start).rejects.toThrow(/keys-missing.*holdfast keys init/);
  });
});
