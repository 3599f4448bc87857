import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '#kernel';
import { type TestNats, startNats } from '#testing';
import { connectBus } from '../connection/connect-bus.ts';
import { assertServerVersion, provisionStreams } from './provision-streams.ts';

const events = { name: 'EVENTS', subjects: ['hf.events.>'], deny_delete: true, deny_purge: true, allow_atomic: true };
let nats: TestNats;
let bus: NatsConnection;
beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus({ urls: [nats.url], name: 'test', clock: systemClock, log: silentLogger });
});
afterAll(async () => {
  await bus.close();
  await nats.stop();
});

const provision = () => provisionStreams(bus, { events, replicas: 1, log: silentLogger });
const config = async (name: string) => (await (await bus.jetstreamManager()).streams.info(name)).config;

describe('provisioning', () => {
  it('several masters at once make every stream once', async () => {
    await Promise.all([provision(), provision(), provision()]);
    const names: string[] = [];
    for await (const name of (await bus.jetstreamManager()).streams.names()) names.push(name);
    expect(names.sort()).toEqual(['ADVISORIES', 'COMMANDS', 'EVENTS', 'HEARTBEATS', 'LOGS', 'REPORTS']);
    expect(await config('EVENTS')).toMatchObject({ deny_delete: true, deny_purge: true, allow_atomic: true });
    expect(await config('COMMANDS')).toMatchObject({ retention: 'limits', max_consumers: 20_000, max_age: 7 * 86_400e9 });
    expect(await config('HEARTBEATS')).toMatchObject({ storage: 'memory', max_msgs_per_subject: 1 });
  });

  it('leaves what an operator tuned and what a newer version made, and upgrades what is older', async () => {
    const manager = await bus.jetstreamManager();
    const logs = await config('LOGS');
    await manager.streams.update('LOGS', { ...logs, max_age: 86_400e9 });
    await provision();
    expect((await config('LOGS')).max_age).toBe(86_400e9);
    await manager.streams.update('LOGS', { ...logs, max_age: 86_400e9, metadata: { 'holdfast.layout': '99' } });
    await provision();
    expect((await config('LOGS')).max_age).toBe(86_400e9);
    await manager.streams.update('LOGS', { ...logs, max_age: 86_400e9, metadata: { 'holdfast.layout': '0' } });
    await provision();
    expect(await config('LOGS')).toMatchObject({ max_age: 14 * 86_400e9, metadata: { 'holdfast.layout': '1' } });
  });

  it('an old server is refused by name', () => {
    expect(() => assertServerVersion({ info: { version: '2.11.9' } } as never)).toThrow(/nats-server-too-old.*2\.11\.9.*2\.12\.0/);
    expect(() => assertServerVersion({ info: { version: '2.12.0-RC.1' } } as never)).not.toThrow();
    expect(() => assertServerVersion({})).toThrow('nats-server-too-old');
  });
});
