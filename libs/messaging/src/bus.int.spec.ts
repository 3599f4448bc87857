import { Controller, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, type CustomTransportStrategy, type MicroserviceOptions, Payload } from '@nestjs/microservices';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, ClaimAsk, type Command, RpcReply, SignedMessage, type SelfAnswer, decodeMessage, encodeMessage } from '#contracts';
import { newAgeKey, newSigningKey, openMessage, openSealed, signReply } from '#identity';
import { countingIds, fault, randomIds, silentLogger, systemClock } from '#kernel';
import { type TestNodeCredential, type TestOperatorNats, startNats, waitUntil } from '#testing';
import {
  CommandPublisher, type IncomingReport, OnAsk, OnCommand, OnReport, OnRpc, RequestContext, asksServer, commandsServer, newConsumers, newRpcClient,
  provisionStreams, reportsServer, rpcServer,
} from './index.ts';

const node = 'node_a';
const events = { name: 'EVENTS', subjects: ['hf.events.>'], deny_delete: true, deny_purge: true };
const plain = { clock: systemClock, log: silentLogger };
const seen = { commands: [] as string[], reports: [] as IncomingReport[], asked: 0, looked: 0 };
let nats: TestOperatorNats;
let master: NatsConnection;
let agent: NatsConnection;
let credential: TestNodeCredential;
const closing: (() => Promise<unknown>)[] = [];

@Controller()
class MasterHandlers {
  @OnReport()
  async report(@Payload() report: IncomingReport): Promise<void> {
    seen.reports.push(report);
  }

  @OnAsk('claim')
  async claim(@Payload() ask: ClaimAsk, @Ctx() context: RequestContext): Promise<Answer<string>> {
    seen.asked += 1;
    if (ask.attempt === 9) throw fault('conflict', 'run-not-yours', 'No');
    if (ask.attempt === 8) throw new TypeError('secret inside');
    return { id: ask.id, status: 'ok', value: `${context.node} ${ask instanceof ClaimAsk}` };
  }
}

@Controller()
class AgentHandlers {
  @OnCommand()
  async command(@Payload() bytes: Uint8Array): Promise<void> {
    seen.commands.push((openMessage([nats.keys.commandSigning], 'command', node, decodeMessage(SignedMessage, bytes)) as Command).verb);
  }

  @OnRpc('browse')
  async echo(@Payload() params: unknown): Promise<unknown> {
    seen.looked += 1;
    return params;
  }
}

@Module({ controllers: [MasterHandlers] })
class MasterModule {}
@Module({ controllers: [AgentHandlers] })
class AgentModule {}

/** As a master is: one HTTP application with several of our transports. */
const serve = async (module: Type, ...strategies: readonly CustomTransportStrategy[]): Promise<void> => {
  const app = await NestFactory.create(module, { logger: false });
  for (const strategy of strategies) app.connectMicroservice<MicroserviceOptions>({ strategy });
  await app.startAllMicroservices();
  closing.push(() => app.close());
};

beforeAll(async () => {
  nats = await startNats({ operatorMode: true });
  master = await nats.connectMaster();
  await provisionStreams(master, { events, replicas: 1, log: silentLogger });
  await newConsumers(master).ensureReports();
  await newConsumers(master).ensureNode(node);
  credential = nats.newCredential(node);
  agent = await nats.connectAgent(credential);
  const second = await nats.connectMaster();
  closing.push(() => second.close());
  for (const connection of [master, second]) {
    await serve(MasterModule, asksServer({ ...plain, connection }, nats.keys.commandSigning), reportsServer({ ...plain, connection }));
  }
  await serve(
    AgentModule, commandsServer(node, { ...plain, connection: agent }), rpcServer({ ...plain, connection: agent }, { node, pinned: () => [nats.keys.commandSigning], own: () => credential.key }),
  );
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await Promise.all([master.close(), agent.close()]);
  await nats.stop();
});

const command: Command = { protocol: 1, node, run: 'run_00000000000000000001', attempt: 1, verb: 'backup', issuedAt: '2026-01-01T00:00:00Z' };
const report = { protocol: 1, attempt: 1, claim: 'c', outcome: 'failed', code: 'x', detail: 'y', faults: [], faultCount: 0 };
const ask = async (method: string, question: object): Promise<Answer<SelfAnswer>> => {
  const reply = await agent.request(`hf.ask.${node}.${method}`, encodeMessage(question), { timeout: 20_000 });
  return openMessage([nats.keys.commandSigning], 'answer', node, decodeMessage(SignedMessage, reply.data)) as Answer<SelfAnswer>;
};
const claim = (attempt: number) => ({ id: 'q1', run: command.run, attempt, instance: 'i' });

describe('masters and agents on the bus', () => {
  it('a signed command reaches its agent, which has no permission but its own', async () => {
    const publisher = new CommandPublisher(master, nats.keys.commandSigning, systemClock);
    await publisher.send(command);
    await publisher.send(command);
    await waitUntil(() => seen.commands.length > 0);
    const info = await (await master.jetstreamManager()).consumers.info('COMMANDS', node);
    expect([seen.commands, info.delivered.stream_seq]).toEqual([['backup'], 1]);
  });

  it('a report reaches one of two masters, with the node of its subject; malformed ones are set aside', async () => {
    await agent.jetstream().publish(`hf.reports.${node}.run_1`, 'not json');
    await agent.jetstream().publish(`hf.reports.${node}.run_1`, encodeMessage(report));
    await waitUntil(async () => (await (await master.jetstreamManager()).consumers.info('REPORTS', 'masters')).ack_floor.stream_seq === 2);
    expect(seen.reports).toMatchObject([{ node, run: 'run_1', report: { outcome: 'failed' } }]);
  });

  it('a question is answered once, by one of two masters, signed for the asking node', async () => {
    expect(await ask('claim', claim(1))).toEqual({ id: 'q1', status: 'ok', value: `${node} true` });
    expect(seen.asked).toBe(1);
  });

  it('refusals are answers too, and show nothing of the inside', async () => {
    expect(await ask('claim', claim(9))).toEqual({ id: 'q1', status: 'refused', code: 'run-not-yours', detail: 'No', retryable: true });
    expect(JSON.stringify(await ask('claim', claim(8)))).not.toContain('secret');
    expect(await ask('claim', { id: 'q1', surprise: 1 })).toMatchObject({ status: 'refused', code: 'invalid-message', retryable: false });
    expect(await ask('nonsense', {})).toMatchObject({ status: 'refused', code: 'unknown-method' });
  });

  it('a master asks a node; a request that is not signed by the installation is refused', async () => {
    const keys = [credential.key.publicKey];
    expect(await newRpcClient(master, nats.keys.commandSigning, countingIds()).call(node, 'browse', { a: 1 }, { keys })).toEqual({ a: 1 });
    await expect(newRpcClient(master, newSigningKey(), randomIds).call(node, 'browse', {}, { keys })).rejects.toMatchObject({ code: 'signature-refused' });
    await expect(newRpcClient(master, nats.keys.commandSigning, randomIds).call(node, 'discover', {}, { keys })).rejects.toMatchObject({ code: 'unknown-method', retryable: false });
  });

  it('a node that does not listen, or does not answer, is told at once or when time is up', async () => {
    const client = newRpcClient(master, nats.keys.commandSigning, randomIds);
    await expect(client.call('node_b', 'browse', {}, { keys: [] })).rejects.toMatchObject({ code: 'node-not-listening', retryable: true });
    const deaf = await nats.connectAgent(nats.newCredential('node_deaf'));
    deaf.subscribe('hf.rpc.node_deaf.*', { callback: () => undefined });
    await deaf.flush();
    await expect(client.call('node_deaf', 'browse', {}, { keys: [], timeoutMs: 200 })).rejects.toMatchObject({ code: 'node-answers-late', retryable: true });
    await deaf.close();
  });

  it('an answer counts only with the signature of the node\'s own key, and to this question', async () => {
    const client = newRpcClient(master, nats.keys.commandSigning, randomIds);
    await expect(client.call(node, 'browse', {}, { keys: [nats.newCredential(node).key.publicKey] })).rejects.toMatchObject({ code: 'reply-not-trusted', retryable: false });
    const forger = nats.newCredential('node_forger');
    const bus = await nats.connectAgent(forger);
    let said: Uint8Array = new Uint8Array();
    bus.subscribe('hf.rpc.node_forger.*', { callback: (_, message) => message.respond(said) });
    await bus.flush();
    const answers = [
      encodeMessage(await signReply(forger.key, 'node_forger', { id: 'another question', status: 'ok', value: 1 }, undefined)),
      encodeMessage(await signReply(forger.key, node, { id: 'x', status: 'ok', value: 1 }, undefined)), encodeMessage({ id: 'x', status: 'ok' }), Buffer.from('no json'), Buffer.alloc(0),
    ];
    for (const answer of answers) {
      said = answer;
      await expect(client.call('node_forger', 'browse', {}, { keys: [forger.key.publicKey] })).rejects.toMatchObject({ code: 'reply-not-trusted' });
    }
    await bus.close();
  });

  it('a request that somebody recorded gives an answer that only the master which asked can read', async () => {
    const recorded: Uint8Array[] = [];
    const spy = master.subscribe(`hf.rpc.${node}.*`, { callback: (_, message) => { recorded.push(message.data); } });
    await master.flush();
    await newRpcClient(master, nats.keys.commandSigning, randomIds).call(node, 'browse', { word: 'confidential' }, { keys: [credential.key.publicKey] });
    spy.unsubscribe();
    const [request] = await waitUntil(() => recorded.length > 0 && recorded);
    const reply = await master.request(`hf.rpc.${node}.browse`, request, { timeout: 20_000 });
    const { sealed, payload } = decodeMessage(RpcReply, reply.data);
    expect(sealed).toBe(true);
    expect(Buffer.from(payload, 'base64').toString('latin1')).not.toContain('confidential');
    await expect(openSealed((await newAgeKey()).identity, Buffer.from(payload, 'base64'))).rejects.toMatchObject({ code: 'seal-unreadable' });
    // For another method or node it is not even looked at.
    expect((await master.request(`hf.rpc.${node}.discover`, request, { timeout: 20_000 })).string()).toContain('invalid-message');
  });

  it('what another node aims at it, by naming its subject as reply, is not believed', async () => {
    const attacker = await nats.connectAgent(nats.newCredential('node_attacker'));
    const reached = agent.subscribe(`hf.rpc.${node}.browse`, { max: 1 });
    await agent.flush();
    const before = seen.looked;
    attacker.publish('hf.ask.node_attacker.claim', encodeMessage(claim(1)), { reply: `hf.rpc.${node}.browse` });
    // A master has signed this answer, for another node and another purpose.
    for await (const message of reached) expect(message.string()).toContain('signature');
    await newRpcClient(master, nats.keys.commandSigning, randomIds).call(node, 'browse', {}, { keys: [credential.key.publicKey] });
    expect(seen.looked).toBe(before + 1);
    await attacker.close();
  });

  it('the consumers of all nodes are listed and removed by name', async () => {
    const consumers = newConsumers(master);
    await Promise.all(['node_x', 'node_y', 'node_x'].map((name) => consumers.ensureNode(name)));
    expect([...await consumers.nodes()].sort()).toEqual([node, 'node_x', 'node_y']);
    await consumers.removeNode('node_x');
    await consumers.removeNode('node_x');
    expect([...await consumers.nodes()].sort()).toEqual([node, 'node_y']);
  });

  it('nothing is believed sent while the bus is away', async () => {
    const publisher = new CommandPublisher(master, nats.keys.commandSigning, systemClock);
    const later: Command = { ...command, attempt: 2 };
    await nats.kill();
    await expect(publisher.send(later)).rejects.toMatchObject({ code: 'command-not-sent', retryable: true });
    await nats.restart();
    await waitUntil(async () => publisher.send(later).then(() => true));
    await waitUntil(() => seen.commands.length > 1);
  });
});
