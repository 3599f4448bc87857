import { AckPolicy, Events, type NatsConnection, StorageType, connect, jwtAuthenticator } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type TestNodeCredential, type TestOperatorNats, forbiddenToPublish, forbiddenToReplyTo, forbiddenToSubscribe, startNats, waitUntil,
} from '#testing';
import { controlNode, systemClock } from '#kernel';
import { encodeJwt } from './nats/jwt.ts';
import { newNkey } from './nats/nkey.ts';

const [mine, other] = ['node_a', 'node_b'];
let nats: TestOperatorNats;
let master: NatsConnection;
let credential: TestNodeCredential;
let agent: NatsConnection;
const refused: string[] = [];

/** Everything that a stream of CONTROL has stored. */
const stored = async (stream: string): Promise<number> => (await (await master.jetstreamManager()).streams.info(stream)).state.messages;
const allStored = async (): Promise<Record<string, number>> =>
  Object.fromEntries(await Promise.all(['EVENTS', 'REPORTS', 'COMMANDS', 'HEARTBEATS', 'LOGS'].map(async (name) => [name, await stored(name)] as const)));

beforeAll(async () => {
  nats = await startNats({ operatorMode: true });
  master = await nats.connectMaster();
  const manager = await master.jetstreamManager();
  await manager.streams.add({ name: 'EVENTS', subjects: ['hf.events.>'], deny_delete: true, deny_purge: true });
  await manager.streams.add({ name: 'COMMANDS', subjects: ['hf.commands.>'], max_consumers: 1000 });
  await manager.streams.add({ name: 'REPORTS', subjects: ['hf.reports.>'] });
  await manager.streams.add({ name: 'LOGS', subjects: ['hf.logs.>'] });
  await manager.streams.add({ name: 'HEARTBEATS', subjects: ['hf.heartbeat.*'], storage: StorageType.Memory, max_msgs_per_subject: 1 });
  for (const id of [mine, other, controlNode]) {
    await manager.consumers.add('COMMANDS', { durable_name: id, filter_subject: `hf.commands.${id}.>`, ack_policy: AckPolicy.Explicit });
  }
  await master.jetstream().publish(`hf.commands.${other}.backup`, 'secret of another node');
  await master.jetstream().publish(`hf.commands.${mine}.backup`, 'mine');
  credential = nats.newCredential(mine);
  agent = await nats.connectAgent(credential);
  void (async () => {
    for await (const status of agent.status()) {
      const { permissionContext } = status as { permissionContext?: { operation: string; subject: string } };
      if (status.type === Events.Error && permissionContext) refused.push(`${permissionContext.operation} ${permissionContext.subject}`);
    }
  })();
});
afterAll(async () => {
  await Promise.all([master?.close(), agent?.close()]);
  await nats?.stop();
});

const nodes = { mine, other };
const toPublish = await forbiddenToPublish(nodes);

describe('an agent credential', () => {
  it.each(toPublish)('cannot publish or ask %s', async (subject) => {
    const before = refused.length;
    agent.publish(subject, '{}', { reply: `_INBOX_${mine}.probe` });
    await waitUntil(() => refused.slice(before).includes(`publish ${subject}`));
  });

  it.each(forbiddenToSubscribe(nodes))('cannot subscribe %s', async (subject) => {
    const before = refused.length;
    const subscription = agent.subscribe(subject, { callback: () => undefined });
    await waitUntil(() => refused.slice(before).includes(`subscription ${subject}`));
    subscription.unsubscribe();
  });

  it('does its own work: pulls its commands, acks, reports, logs, beats, asks and answers', async () => {
    const consumer = agent.jetstream().consumers.getPullConsumerFor({ stream_name: 'COMMANDS', name: mine, config: {} } as never);
    const command = await consumer.next({ expires: 5000, bind: true });
    expect(command?.string()).toBe('mine');
    expect(await command?.ackAck()).toBe(true);
    await agent.jetstream().publish(`hf.reports.${mine}.run_1`, 'report');
    await agent.jetstream().publish(`hf.logs.${mine}.run_1`, 'log');
    agent.publish(`hf.heartbeat.${mine}`, '{}');
    const progress = master.subscribe('hf.progress.*.*', { max: 1 });
    await master.flush();
    agent.publish(`hf.progress.${mine}.run_1`, 'half');
    for await (const message of progress) expect(message.string()).toBe('half');
    const asked = master.subscribe('hf.ask.*.*', { queue: 'masters', callback: (_, message) => message.respond('granted') });
    await master.flush();
    expect((await agent.request(`hf.ask.${mine}.claim`, '{}', { timeout: 20_000 })).string()).toBe('granted');
    asked.unsubscribe();
    agent.subscribe(`hf.rpc.${mine}.>`, { callback: (_, message) => message.respond('answered') });
    await agent.flush();
    expect((await master.request(`hf.rpc.${mine}.browse`, '{}', { timeout: 20_000 })).string()).toBe('answered');
    await waitUntil(async () => (await stored('HEARTBEATS')) === 1 && (await stored('REPORTS')) === 1 && (await stored('LOGS')) === 1);
  });

  it('cannot aim an acknowledgement or an answer at a subject of another node or of the log', async () => {
    const before = await allStored();
    const spies = [`hf.rpc.${other}.>`, `_INBOX_${other}.>`].map((subject) => {
      const seen: string[] = [];
      return { seen, subject };
    });
    const victim = await nats.connectAgent(nats.newCredential(other));
    for (const { seen, subject } of spies) victim.subscribe(subject, { callback: (_, message) => { seen.push(message.subject); } });
    await victim.flush();
    const replies = forbiddenToReplyTo(nodes);
    // The server itself refuses to take a message whose reply subject is an ack.
    agent.publish(`hf.reports.${mine}.run_1`, 'x', { reply: `$JS.ACK.COMMANDS.${other}.1.1.1.1.1` });
    const asked = master.subscribe('hf.ask.*.*', { callback: (_, message) => message.respond('{}') });
    await master.flush();
    for (const reply of replies) {
      agent.publish(`hf.reports.${mine}.run_1`, 'x', { reply });
      agent.publish(`hf.logs.${mine}.run_1`, 'x', { reply });
      agent.publish(`hf.ask.${mine}.claim`, '{}', { reply });
      agent.publish(`$JS.API.CONSUMER.MSG.NEXT.COMMANDS.${mine}`, '{"batch":1,"no_wait":true}', { reply });
    }
    await waitUntil(async () => (await stored('REPORTS')) === (before['REPORTS'] ?? 0) + replies.length);
    await waitUntil(async () => (await stored('LOGS')) === (before['LOGS'] ?? 0) + replies.length);
    await Promise.all([agent.flush(), master.flush(), victim.flush()]);
    expect(await allStored()).toEqual({ ...before, REPORTS: (before['REPORTS'] ?? 0) + replies.length, LOGS: (before['LOGS'] ?? 0) + replies.length });
    const consumer = await (await master.jetstreamManager()).consumers.info('COMMANDS', other);
    expect(consumer.num_ack_pending).toBe(0);
    expect(consumer.num_pending).toBe(1);
    expect(spies.flatMap(({ seen }) => seen)).toEqual([]);
    asked.unsubscribe();
    await victim.close();
  });

  it('reaches nothing of CONTROL but its services even with every right inside its own account', async () => {
    const key = newNkey('user');
    const jwt = encodeJwt({ sub: key.publicKey, name: 'unbounded', iat: Math.floor(systemClock.now() / 1000), nats: { type: 'user', subs: -1, data: -1, payload: -1 } }, nats.keys.agents);
    const unbounded = await connect({ servers: nats.url, authenticator: jwtAuthenticator(jwt, Buffer.from(key.seed)) });
    const before = await allStored();
    const heard: string[] = [];
    for (const subject of ['hf.events.>', 'hf.commands.>', 'hf.reports.>', '$JS.>', '$SYS.>', 'master.only']) unbounded.subscribe(subject, { callback: (_, message) => { heard.push(message.subject); } });
    await unbounded.flush();
    for (const call of ['$JS.API.INFO', '$JS.API.STREAM.NAMES', '$JS.API.STREAM.DELETE.LOGS', `$JS.API.CONSUMER.INFO.COMMANDS.${other}`, '$SYS.REQ.SERVER.PING', '$SYS.REQ.CLAIMS.LIST']) {
      const said = await unbounded.request(call, '{}', { timeout: 2_000 }).then((answer) => answer.json<{ error?: { description: string } }>().error?.description ?? answer.string(), (error: { code: string }) => error.code);
      expect(said, call).toMatch(/^(503|TIMEOUT|JetStream not enabled for account)$/i);
    }
    for (const subject of ['hf.events.run.run_9', `hf.commands.${other}.restore`]) unbounded.publish(subject, 'x');
    await master.jetstream().publish(`hf.commands.${controlNode}.prune`, 'x');
    master.publish('master.only', 'x');
    await Promise.all([unbounded.flush(), master.flush()]);
    expect(await allStored()).toEqual({ ...before, COMMANDS: (before['COMMANDS'] ?? 0) + 1 });
    // It hears what it said itself, inside its account, and nothing that others did.
    for (const subject of [`hf.commands.${controlNode}.prune`, 'master.only']) expect(heard).not.toContain(subject);
    expect(heard.filter((subject) => /^\$SYS\.(?!REQ)|_INBOX|^\$JS\.ACK/.test(subject))).toEqual([]);
    await unbounded.close();
  });

  it('is bounded: in subscriptions, in the size of a message, in answers to one request', async () => {
    const greedy = await nats.connectAgent(nats.newCredential('node_greedy'), { reconnect: false });
    const errors: string[] = [];
    void (async () => { for await (const { type } of greedy.status()) if (type === Events.Error) errors.push(type); })();
    expect(() => greedy.publish('hf.reports.node_greedy.run_1', new Uint8Array(8 * 1024 * 1024 + 1))).toThrow('MAX_PAYLOAD');
    let answers = 0;
    master.subscribe('answers.to', { callback: () => { answers += 1; } });
    greedy.subscribe('hf.rpc.node_greedy.>', { callback: (_, message) => { for (let i = 0; i < 150; i++) message.respond('x'); } });
    await Promise.all([greedy.flush(), master.flush()]);
    master.publish('hf.rpc.node_greedy.x', '', { reply: 'answers.to' });
    await waitUntil(() => errors.length > 0);
    await Promise.all([greedy.flush(), master.flush()]);
    expect(answers).toBeLessThanOrEqual(100);
    for (let i = 0; i < 70; i++) greedy.subscribe(`hf.rpc.node_greedy.${i}`, { callback: () => undefined });
    await waitUntil(() => nats.log().includes('maximum subscriptions exceeded'));
    await greedy.close();
  });

  it('without the key that it was issued for is worthless', async () => {
    const stolen = { ...credential, key: nats.newCredential(mine).key };
    await expect(nats.connectAgent(stolen, { reconnect: false, maxReconnectAttempts: 0 })).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  });

  it('cannot be issued for an id that is a wildcard', () => {
    for (const id of ['*', '>', 'node_*', 'node_a.>', 'node_a.b', '', 'node_', 'NODE_a']) expect(() => nats.newCredential(id)).toThrow('invalid-node-id');
  });
});
