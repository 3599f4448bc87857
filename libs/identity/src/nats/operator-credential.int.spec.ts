import { type NatsConnection, connect, credsAuthenticator } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { type TestOperatorNats, startNats } from '#testing';
import { type OperatorCredentialRequest, operatorCredential } from './operator-credential.ts';

let nats: TestOperatorNats;
let master: NatsConnection;
const open: NatsConnection[] = [];

const enter = async (request: Pick<OperatorCredentialRequest, 'account' | 'all'>): Promise<NatsConnection> => {
  const text = operatorCredential(nats.keys, { hours: 1, now: systemClock.now(), ...request });
  const connection = await connect({ servers: nats.url, authenticator: credsAuthenticator(new TextEncoder().encode(text)) });
  open.push(connection);
  return connection;
};

beforeAll(async () => {
  nats = await startNats({ operatorMode: true });
  master = await nats.connectMaster();
  const manager = await master.jetstreamManager();
  await manager.streams.add({ name: 'EVENTS', subjects: ['hf.events.>'], deny_delete: true, deny_purge: true, allow_direct: true });
  await manager.streams.add({ name: 'COMMANDS', subjects: ['hf.commands.>'] });
  await manager.consumers.add('COMMANDS', { durable_name: 'node_a' });
  await master.jetstream().publish('hf.events.node.node_a', '{"a":1}');
});
afterAll(async () => {
  for (const connection of [...open, master]) await connection?.close();
  await nats?.stop();
});

describe('a credential to look', () => {
  it('shows streams, consumers and messages', async () => {
    const connection = await enter({ account: 'control' });
    const manager = await connection.jetstreamManager();
    expect((await manager.streams.info('EVENTS')).state.messages).toBe(1);
    expect((await manager.streams.getMessage('EVENTS', { seq: 1 })).json()).toEqual({ a: 1 });
    expect((await connection.request('$JS.API.DIRECT.GET.EVENTS.hf.events.node.node_a', '')).json()).toEqual({ a: 1 });
    expect((await manager.consumers.info('COMMANDS', 'node_a')).name).toBe('node_a');
  });

  it.each([
    'hf.events.node.node_a', 'hf.commands.node_a.backup', 'hf.reports.node_a.run_1', '$JS.API.STREAM.DELETE.COMMANDS', '$JS.API.STREAM.PURGE.COMMANDS',
    '$JS.API.CONSUMER.CREATE.EVENTS.x', '$JS.API.CONSUMER.DELETE.COMMANDS.node_a', '$JS.API.STREAM.MSG.DELETE.COMMANDS',
  ])('cannot publish %s', async (subject) => {
    const before = (await (await master.jetstreamManager()).streams.info('EVENTS')).state.messages;
    await expect((await enter({ account: 'control' })).request(subject, '{}', { timeout: 20_000 })).rejects.toThrow(/Permissions Violation/);
    const manager = await master.jetstreamManager();
    expect((await manager.streams.info('EVENTS')).state.messages).toBe(before);
    expect((await manager.consumers.info('COMMANDS', 'node_a')).name).toBe('node_a');
  });

  it('of SYSTEM lists servers, and changes no account', async () => {
    const system = await enter({ account: 'system' });
    expect((await system.request('$SYS.REQ.SERVER.PING', '')).json()).toMatchObject({ server: { jetstream: true } });
    await expect(system.request('$SYS.REQ.CLAIMS.UPDATE', 'x', { timeout: 20_000 })).rejects.toThrow(/Permissions Violation/);
  });

  it('ends by itself', async () => {
    const text = operatorCredential(nats.keys, { account: 'control', hours: 1, now: systemClock.now() - 2 * 3_600_000 });
    await expect(connect({ servers: nats.url, authenticator: credsAuthenticator(new TextEncoder().encode(text)), reconnect: false })).rejects.toThrow(/AUTHORIZATION|expired/i);
  });
});

it('a credential for everything may make a consumer, which `nats stream view` does', async () => {
  const manager = await (await enter({ account: 'control', all: true })).jetstreamManager();
  expect((await manager.consumers.add('EVENTS', { name: 'viewer', inactive_threshold: 1e9 })).name).toBe('viewer');
});
