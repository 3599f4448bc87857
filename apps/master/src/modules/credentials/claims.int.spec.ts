import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newAgeKey, newNkey } from '#identity';
import { waitUntil } from '#testing';
import type { Master } from '../../application.ts';
import { TestClient, type TestStack, startStack } from '../../testing.ts';

interface Status { success: boolean; indicators: Record<string, { status: string; code?: string; detail?: string }> }

let stack: TestStack;
let master: Master;
let api: TestClient;
beforeAll(async () => {
  stack = await startStack();
  master = await stack.master();
  api = await new TestClient(master.url).login();
});
afterAll(() => stack.stop());

const accounts = (): string => join(stack.nats.dir, 'accounts');
const keeps = (account: 'agents' | 'control'): boolean => existsSync(join(accounts(), `${stack.nats.keys[account].publicKey}.jwt`));
const status = (): Promise<Status> => api.json<Status>('GET', '/api/status');
const metrics = async (): Promise<string> => (await fetch(`${master.url}/metrics`)).text();
/** A node with its credential; `connect` tries to enter the bus with it. */
const enrolled = async (name: string) => {
  const node = (await api.json<{ id: string }>('POST', '/api/v1/nodes', { name })).id;
  const { token } = await api.json<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
  const key = newNkey('user');
  const host = { hostname: 'h', platform: 'linux', arch: 'x64', agentVersion: '1' };
  const { jwt } = await api.json<{ jwt: string }>('POST', '/api/v1/enrol', { token, publicKey: key.publicKey, recipient: (await newAgeKey()).recipient, host });
  return { node, enter: () => stack.nats.connectAgent({ nodeId: node, key, jwt }, { reconnect: false }) };
};

it('a server that lost what it kept gets both accounts again while masters run: agents come back, who was revoked does not', async () => {
  const [good, bad] = [await enrolled('good'), await enrolled('bad')];
  expect((await api.call('POST', `/api/v1/nodes/${bad.node}/credential:revoke`)).status).toBe(204);
  await waitUntil(() => bad.enter().then(async (bus) => { await bus.close(); return false; }, () => true));
  await waitUntil(async () => (await metrics()).includes('holdfast_nats_servers{claims="current"} 1'));
  await stack.nats.kill();
  rmSync(accounts(), { recursive: true });
  await stack.nats.restart();
  await waitUntil(() => keeps('agents') && keeps('control'));
  await waitUntil(() => good.enter().then(async (bus) => { await bus.close(); return true; }));
  await expect(bad.enter()).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  await waitUntil(async () => (await status()).success && (await status()).indicators['claims']?.status === 'up');
});

it('a server that cannot keep them is named, and the master stays in service', async () => {
  rmSync(accounts(), { recursive: true });
  writeFileSync(accounts(), 'not a folder');
  const told = await waitUntil(async () => {
    const now = await status();
    return now.indicators['claims']?.status === 'down' && now;
  });
  expect(told).toMatchObject({ success: true, indicators: { claims: { code: expect.stringMatching(/^claims-/) as string } } });
  rmSync(accounts());
  await waitUntil(async () => (await status()).indicators['claims']?.status === 'up');
  expect(keeps('agents')).toBe(true);
});
