import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomIds, silentLogger, systemClock } from '#kernel';
import { readConfig } from '#config';
import { type TestPostgres, startNats, startPostgres, tempDir, waitUntil } from '#testing';
import { runAdministration } from './administration.ts';
import { type Master, startMaster } from './application.ts';
import { MasterConfig } from './platform/config/master.config.ts';
import { TestClient, type TestStack, startStack } from './testing.ts';

describe('a master whose servers fail', () => {
  let postgres: TestPostgres;
  let stack: TestStack;
  let master: Master;
  let api: TestClient;
  beforeAll(async () => {
    postgres = await startPostgres();
    stack = await startStack(postgres);
    master = await stack.master();
    api = await new TestClient(master.url).login();
  });
  afterAll(() => stack.stop());

  const status = async (path: string): Promise<number> => (await api.call('GET', path)).status;
  const ready = (expected: number) => waitUntil(async () => (await status('/health/ready')) === expected);

  it('says 503 with a code while Postgres is away, and goes on when it is back', async () => {
    await postgres.kill();
    const answer = await api.json('GET', '/api/v1/nodes');
    expect(answer).toMatchObject({ status: 503, code: 'database-unavailable' });
    await ready(503);
    expect(await api.json('GET', '/api/status')).toMatchObject({ success: false, indicators: { postgres: { status: 'down' } } });
    expect(await status('/health/live')).toBe(200);
    await postgres.restart();
    await ready(200);
    await waitUntil(async () => (await api.call('POST', '/api/v1/nodes', { name: 'after postgres' })).status === 201);
  });

  it('goes on when NATS is back, with the streams that were in memory', async () => {
    await stack.nats.kill();
    await ready(503);
    await stack.nats.restart();
    await ready(200);
    await waitUntil(async () => (await api.call('POST', '/api/v1/nodes', { name: 'after nats' })).status === 201);
    const manager = await master.foundation.bus.jetstreamManager();
    await waitUntil(() => manager.streams.info('HEARTBEATS').then(() => true));
    const { items } = await api.json<{ items: { name: string }[] }>('GET', '/api/v1/nodes');
    expect(items.map(({ name }) => name)).toEqual(['after nats', 'after postgres']);
  });

  it('writes nothing into a log that lost its tail, until an operator has re-appended it', async () => {
    const { signal } = new AbortController();
    const admin = (words: string) => runAdministration(words.split(' '), signal, { ...stack.variables, HOLDFAST_LOG_LEVEL: 'error' });
    expect(await admin('doctor log')).toMatchObject({ message_type: 'log-check', state: 'agree' });
    const manager = await master.foundation.bus.jetstreamManager();
    await manager.streams.delete('EVENTS');
    await stack.nats.restart();
    const add = () => api.json('POST', '/api/v1/nodes', { name: 'after the loss' });
    await waitUntil(async () => (await add())['code'] === 'log-diverged');
    expect(await api.json('GET', '/api/v1/nodes')).toMatchObject({ items: [{ name: 'after nats' }, { name: 'after postgres' }] });
    await expect(admin('doctor log')).rejects.toThrow('log-diverged');
    expect(await admin('doctor reappend')).toMatchObject({ message_type: 'log-reappended', compared: 0 });
    await admin('doctor log');
    await waitUntil(async () => 'id' in (await add()));
    await ready(200);
  });

  it('rebuilds its read models into equal rows while it works', async () => {
    const rows = () => master.foundation.pool.query('select * from read.nodes order by id').then((result) => result.rows as unknown[]);
    const before = await rows();
    await master.foundation.pool.query("update read.nodes set name = 'damaged'");
    await runAdministration(['projections', 'rebuild'], new AbortController().signal, { ...stack.variables, HOLDFAST_LOG_LEVEL: 'error' });
    expect(await rows()).toEqual(before);
    expect(before).toHaveLength(3);
  });

  it('refuses a log of another installation than its archive', async () => {
    const foreign = await startNats({ operatorMode: true });
    const config = readConfig(MasterConfig, {
      HOLDFAST_NATS_URL: foreign.url, HOLDFAST_POSTGRES_URL: postgres.url, HOLDFAST_KEYS_DIR: foreign.keysDir, HOLDFAST_DATA_DIR: await tempDir('foreign'),
      HOLDFAST_HTTP_PORT: '0',
    });
    const start = startMaster({ config, clock: systemClock, ids: randomIds, logger: silentLogger }, new AbortController().signal);
    await expect(start).rejects.toThrow('foreign-event');
    await foreign.stop();
  });

  it('leaves nothing open when it cannot start', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => { taken.listen(0, '127.0.0.1', resolve); });
    const port = String((taken.address() as AddressInfo).port);
    const config = readConfig(MasterConfig, { ...stack.variables, HOLDFAST_HTTP_PORT: port });
    const start = startMaster({ config, clock: systemClock, ids: randomIds, logger: silentLogger }, new AbortController().signal);
    await expect(start).rejects.toThrow('EADDRINUSE');
    taken.close();
    const { rows } = await master.foundation.pool.query<{ count: string }>("select count(*) from pg_stat_activity where application_name = 'holdfast-follower'");
    expect(Number(rows[0]?.count)).toBe(1);
  });

  it('refuses to start without keys, naming the command that makes them', async () => {
    const dir = await tempDir('no-keys');
    const config = readConfig(MasterConfig, { HOLDFAST_KEYS_DIR: `${dir}/keys`, HOLDFAST_HTTP_PORT: '0' });
    const start = startMaster({ config, clock: systemClock, ids: randomIds, logger: silentLogger }, new AbortController().signal);
    await expect(start).rejects.toThrow(/keys-missing.*holdfast keys init/);
  });
});
