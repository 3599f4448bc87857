import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, type MicroserviceOptions, Payload } from '@nestjs/microservices';
import { AckPolicy, type NatsConnection } from 'nats';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClock, fault, silentLogger, systemClock } from '#kernel';
import { type TestNats, startNats, waitUntil } from '#testing';
import { connectBus } from '../connection/connect-bus.ts';
import { OnCommand } from '../handlers.decorator.ts';
import { JetStreamContext } from './jetstream.context.ts';
import { type ServerChoice, commandsServer } from './servers.ts';
import type { Outcome } from './settle.ts';

const node = 'node_a';
let nats: TestNats;
let bus: NatsConnection;
let handle: (text: string, context: JetStreamContext) => Promise<void>;
let outcomes: Outcome[];
const closing: (() => Promise<unknown>)[] = [];

@Controller()
class Handlers {
  @OnCommand()
  async take(@Payload() bytes: Uint8Array, @Ctx() context: JetStreamContext): Promise<void> {
    await handle(Buffer.from(bytes).toString(), context);
  }
}

@Module({ controllers: [Handlers] })
class TestModule {}

const serve = async (choice: Partial<ServerChoice> = {}) => {
  const server = commandsServer(node, {
    connection: bus, clock: systemClock, log: silentLogger, maxDelayMs: 300, onOutcome: (outcome) => { outcomes.push(outcome); }, ...choice,
  });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(TestModule, { strategy: server, logger: false });
  await app.listen();
  closing.push(() => app.close());
  return { app, server };
};

const addConsumer = async (): Promise<void> => {
  const manager = await bus.jetstreamManager();
  await manager.consumers.add('COMMANDS', { durable_name: node, filter_subject: `hf.commands.${node}.>`, ack_policy: AckPolicy.Explicit, ack_wait: 1e9 });
};
const send = (text: string) => bus.jetstream().publish(`hf.commands.${node}.backup`, text);
const consumerInfo = async () => (await bus.jetstreamManager()).consumers.info('COMMANDS', node);

beforeEach(async () => {
  nats = await startNats();
  bus = await connectBus({ urls: [nats.url], name: 'test', clock: systemClock, log: silentLogger });
  await (await bus.jetstreamManager()).streams.add({ name: 'COMMANDS', subjects: ['hf.commands.>'] });
  await addConsumer();
  outcomes = [];
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await bus.close();
  await nats.stop();
});

describe('JetStream transport', () => {
  it('acks, with confirmation, what its handler took', async () => {
    const taken: string[] = [];
    handle = async (text, context) => { taken.push(`${text} ${context.sequence} ${context.deliveries} ${context.subject}`); };
    await serve();
    await send('a');
    await send('b');
    await waitUntil(() => outcomes.length === 2);
    expect(taken).toEqual([`a 1 1 hf.commands.${node}.backup`, `b 2 1 hf.commands.${node}.backup`]);
    expect(outcomes).toEqual(['acked', 'acked']);
    expect((await consumerInfo()).ack_floor.stream_seq).toBe(2);
  });

  it('an error of the handler is never swallowed: the message comes again, later each time', async () => {
    const times: number[] = [];
    handle = async () => {
      times.push(performance.now());
      if (times.length === 1) throw fault('unavailable', 'database-down', 'Later');
      if (times.length === 2) throw new TypeError('a bug');
    };
    await serve();
    await send('a');
    await waitUntil(() => outcomes.length === 3);
    expect(outcomes).toEqual(['retried', 'retried', 'acked']);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThan(150);
  });

  it('poison is terminated once, told in an advisory, and blocks nothing', async () => {
    const advisories = bus.subscribe('$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>', { max: 1 });
    const taken: string[] = [];
    handle = async (text) => {
      taken.push(text);
      if (text === 'poison') throw fault('validation', 'invalid-message', 'Never');
    };
    await serve();
    await send('poison');
    await send('good');
    await waitUntil(() => outcomes.length === 2);
    for await (const advisory of advisories) expect(advisory.json()).toMatchObject({ stream_seq: 1, reason: 'invalid-message' });
    expect(taken).toEqual(['poison', 'good']);
    expect((await consumerInfo()).num_ack_pending).toBe(0);
  });

  it('a handler slower than the ack wait gets its message once', async () => {
    let calls = 0;
    const clock = new FakeClock();
    let finish: () => void = () => undefined;
    handle = () => new Promise((resolve) => { calls += 1; finish = resolve; });
    const ackWaitMs = 3_000;
    await (await bus.jetstreamManager()).consumers.update('COMMANDS', node, { ack_wait: ackWaitMs * 1e6 });
    await serve({ concurrency: 4, clock });
    await send('slow');
    await waitUntil(() => calls === 1);
    // The server's ack wait is real time; a third of 30 s of ours is told as "working".
    const started = performance.now();
    await waitUntil(async () => {
      await clock.advance(10_000);
      await bus.flush();
      return performance.now() - started > 1.5 * ackWaitMs;
    });
    finish();
    await waitUntil(() => outcomes.length === 1);
    expect([calls, outcomes]).toEqual([1, ['acked']]);
  });

  it('a missing consumer is asked for with growing pauses, and found when it comes', async () => {
    await (await bus.jetstreamManager()).consumers.delete('COMMANDS', node);
    const published = vi.spyOn(bus, 'publish');
    const pulls = (): number => published.mock.calls.filter(([subject]) => subject.startsWith('$JS.API.CONSUMER.MSG.NEXT')).length;
    handle = async () => undefined;
    const { server } = await serve();
    await waitUntil(() => server.state.failedPulls >= 2);
    expect(pulls()).toBeLessThanOrEqual(3);
    await send('waiting');
    await addConsumer();
    await waitUntil(() => outcomes.length === 1);
    expect(pulls()).toBeLessThan(10);
    expect(server.state.failedPulls).toBe(0);
  });

  it('drains at shutdown: what is in hand is finished and acked, nothing more is taken', async () => {
    let started = 0;
    let finish: () => void = () => undefined;
    handle = () => new Promise((resolve) => { started += 1; finish = resolve; });
    const { app } = await serve();
    await send('in hand');
    await waitUntil(() => started === 1);
    const closed = app.close();
    await send('too late');
    finish();
    await closed;
    expect([started, outcomes]).toEqual([1, ['acked']]);
    expect((await consumerInfo()).num_pending + (await consumerInfo()).num_ack_pending).toBe(1);
  });

  it('handles at most as many at once as it is told', async () => {
    let [now, most] = [0, 0];
    handle = async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => { setImmediate(resolve); });
      now -= 1;
    };
    for (let i = 0; i < 50; i++) await send(String(i));
    await serve({ concurrency: 3 });
    await waitUntil(() => outcomes.length === 50);
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(1);
  });

  it('a kill of the server in mid-handling: the message comes again after it is back, and later ones follow', async () => {
    const taken: string[] = [];
    let finish: () => void = () => undefined;
    handle = (text) => new Promise((resolve) => {
      taken.push(text);
      if (taken.length === 1) finish = resolve;
      else resolve();
    });
    await serve();
    await send('first');
    await waitUntil(() => taken.length === 1);
    await nats.kill();
    finish();
    await waitUntil(() => outcomes.length === 1);
    expect(outcomes).toEqual(['unconfirmed']);
    await nats.restart();
    await waitUntil(async () => (await send('second').catch(() => undefined)) !== undefined);
    await waitUntil(() => taken.includes('second'));
    await waitUntil(() => taken.filter((text) => text === 'first').length === 2);
    await waitUntil(async () => (await consumerInfo()).num_ack_pending === 0);
  });
});
