import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newLogger } from '#observability';
import { TestClient, type TestStack, startStack } from './testing.ts';
import type { Master } from './application.ts';

describe('a master on real NATS and Postgres', () => {
  let stack: TestStack;
  let master: Master;
  let api: TestClient;
  beforeAll(async () => {
    stack = await startStack();
    master = await stack.master({ logger: newLogger({ level: 'info', name: 'm' }) });
    api = await new TestClient(master.url).login();
  });
  afterAll(() => stack.stop());

  it('is ready and says so', async () => {
    expect(await api.json('GET', '/health/ready')).toMatchObject({ status: 'ok' });
    expect(await api.json('GET', '/api/status')).toMatchObject({ success: true, role: 'master' });
    expect(await api.json('GET', '/api/v1/me')).toMatchObject({ name: 'admin', role: 'admin' });
  });
});
