import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import {
  type Answer, type AskMethod, type ClaimReference, type Command, type Grant, type GrantRequest, type Heartbeat, type Progress, type RunLogBatch,
  type RunReport, encodeMessage, streams, subjects,
} from '#contracts';
import { type SigningKey, issueNodeToken, newAgeKey, newNkey, signMessage } from '#identity';
import { silentLogger, systemClock } from '#kernel';
import { CommandPublisher, newConsumers, provisionStreams } from '#messaging';
import { type FsStore, fsStore, receiveObject, relayGrantSigner, verifyRelayGrant } from '#storage';
import { type TestOperatorNats, startNats, waitUntil } from '#testing';
import { type NodeIdentity, writeNodeIdentity } from '../state/node-identity.ts';
import { openStateDirectory } from '../state/state-directory.ts';
import { scratch } from '../testing.ts';

const secret = Buffer.alloc(32, 7);

/** A relay on loopback: the real grants of the real store, in a folder. */
const startRelay = async (store: FsStore): Promise<{ server: Server; url: string }> => {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const grant = verifyRelayGrant(secret, systemClock, {
      method: request.method ?? '', target: (request.url ?? '').replace(/^\/relay\//, ''), contentLength: Number(request.headers['content-length']),
    });
    if (!grant.ok) return void response.writeHead(403).end(JSON.stringify({ code: grant.error.code }));
    if (request.method === 'PUT') {
      const outcome = await receiveObject(store, request, grant.value);
      return void response.writeHead(outcome === 'exists' ? 412 : 201).end();
    }
    const info = await store.head(grant.value.name);
    if (!info) return void response.writeHead(404).end();
    const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
    if (!range) return void response.writeHead(200).end(await store.get(grant.value.name));
    const offset = Number(range[1]);
    const length = Math.min(Number(range[2]) + 1, info.size) - offset;
    if (length <= 0) return void response.writeHead(416, { 'content-range': `bytes */${info.size}` }).end();
    response.writeHead(206, { 'content-range': `bytes ${offset}-${offset + length - 1}/${info.size}` }).end(await store.get(grant.value.name, { offset, length }));
  };
  const server = createServer((request, response) => void handle(request, response).catch(() => response.writeHead(400).end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

/** A claim as this master gave it. */
interface GivenClaim {
  readonly claim: string;
  readonly instance: string;
}

/** The masters' side of one node, scripted: real NATS in operator mode (the agent has a node's permissions), real signatures, real grants to a real folder; no deciders. */
export class FakeMaster {
  readonly node = 'node_00000000000000000001';
  readonly claims = new Map<string, GivenClaim>();
  readonly asked: { method: AskMethod; body: Record<string, unknown> }[] = [];
  readonly fenced = new Set<string>();
  readonly heard = { heartbeats: [] as Heartbeat[], progress: [] as Progress[], logs: [] as RunLogBatch[] };
  specification: (run: string) => unknown = () => ({});
  timeoutMs = 600_000;
  /** The id key of the repository, sealed to the agent. */
  idKey: string | undefined;
  stop: ClaimReference[] = [];
  /** New keys by rotation, and those that the agent says it has connected with. */
  readonly successors = new Map<string, string>();
  readonly takenUp: string[] = [];
  /** Of the tokens it signs. */
  tokenSeconds = 3_600;
  /** Takes the place of the answer to a question when it returns something. */
  override: (method: AskMethod, id: string) => Answer<unknown> | undefined = () => undefined;
  readonly key: SigningKey;
  readonly nats: TestOperatorNats;
  readonly bus: NatsConnection;
  readonly store: FsStore;
  private readonly relay: { server: Server; url: string };

  private constructor(parts: { nats: TestOperatorNats; bus: NatsConnection; store: FsStore; relay: { server: Server; url: string } }) {
    ({ nats: this.nats, bus: this.bus, store: this.store, relay: this.relay } = parts);
    this.key = this.nats.keys.commandSigning;
    this.serveAsks();
    for (const [subject, list] of [[subjects.allHeartbeats, this.heard.heartbeats], [subjects.allProgress, this.heard.progress], [subjects.allLogs, this.heard.logs]] as const) {
      this.bus.subscribe(subject, { callback: (_, message) => (list as unknown[]).push(message.json()) });
    }
  }

  static async start(dir: string): Promise<FakeMaster> {
    const nats = await startNats({ operatorMode: true });
    const bus = await nats.connectMaster('control', { maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    await provisionStreams(bus, { events: { name: streams.events, subjects: [subjects.allEvents] }, replicas: 1, log: silentLogger });
    const store = fsStore(join(dir, 'target'));
    const master = new FakeMaster({ nats, bus, store, relay: await startRelay(store) });
    await newConsumers(bus).ensureNode(master.node);
    // What a killed agent had in hand comes again soon.
    await (await bus.jetstreamManager()).consumers.update(streams.commands, master.node, { ack_wait: 500_000_000 });
    return master;
  }

  /** Writes the identity of this master's node into a state directory. */
  async enrol(dir: string): Promise<NodeIdentity> {
    const age = await newAgeKey();
    const { id, publicKey } = this.key;
    const key = newNkey('user');
    const identity: NodeIdentity = {
      facts: { node: this.node, master: this.relay.url, natsUrls: [this.nats.url], commandKeys: [{ id, publicKey }] },
      natsSeed: key.seed, natsJwt: this.token(key.publicKey), ageIdentity: age.identity,
    };
    writeNodeIdentity(openStateDirectory(dir), identity);
    return identity;
  }

  command(run: string, verb: Command['verb'] = 'backup', attempt = 1): Promise<void> {
    return new CommandPublisher(this.bus, this.key, systemClock).send({ protocol: 1, node: this.node, run, attempt, verb, issuedAt: '2026-01-01T00:00:00.000Z' });
  }

  /** Orders a new key. */
  rotate(rotation: string): Promise<void> {
    return new CommandPublisher(this.bus, this.key, systemClock).send({ protocol: 1, node: this.node, rotation, verb: 'rotate', issuedAt: rotation });
  }

  token(publicKey: string): string {
    return issueNodeToken(this.nats.keys, { nodeId: this.node, publicKey, now: systemClock.now(), lifeSeconds: this.tokenSeconds }).jwt;
  }

  /** Everything in REPORTS, in order. */
  async reports(): Promise<{ run: string; report: RunReport }[]> {
    const manager = await this.bus.jetstreamManager();
    const { state } = await manager.streams.info(streams.reports);
    const all = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(streams.reports, { seq });
      all.push({ run: message.subject.split('.')[3] ?? '', report: message.json<RunReport>() });
    }
    return all;
  }

  /** The first `count` reports, when they are there. */
  async reported(count = 1, ms = 20_000): Promise<{ run: string; report: RunReport }[]> {
    return waitUntil(async () => {
      const all = await this.reports();
      return all.length >= count && all;
    }, ms);
  }

  async close(): Promise<void> {
    await this.bus.close();
    this.relay.server.closeAllConnections();
    this.relay.server.close();
    await this.nats.stop();
  }

  private serveAsks(): void {
    this.bus.subscribe(subjects.allAsks, {
      callback: (_, message) => {
        const method = message.subject.split('.')[3] as AskMethod;
        const body = message.json<Record<string, unknown>>();
        this.asked.push({ method, body });
        void this.answer(method, body).then((answer) => message.respond(encodeMessage(signMessage(this.key, 'answer', this.node, answer))));
      },
    });
  }

  private async answer(method: AskMethod, body: Record<string, unknown>): Promise<Answer<unknown>> {
    const id = body['id'] as string;
    const overridden = this.override(method, id);
    if (overridden) return overridden;
    const ok = (value: unknown): Answer<unknown> => ({ id, status: 'ok', value });
    const holder = (body['holder'] ?? body) as ClaimReference;
    if (this.fenced.has(`${holder.run}.${holder.attempt}`)) return { id, status: 'stop', code: 'attempt-fenced', detail: 'Fenced' };
    switch (method) {
      case 'claim':
        return ok(this.claim(body));
      case 'sync':
        return ok({ stop: this.stop, reportAgain: [] });
      case 'grant':
        return ok({ grants: await Promise.all((body['objects'] as GrantRequest[]).map((object) => this.grant(object))) });
      case 'known-chunks':
        return ok({ generation: 0 });
      case 'id-key':
        return ok(this.idKey === undefined ? {} : { sealed: this.idKey });
      case 'packs':
        return ok({ names: await this.names('packs/'), more: false });
      case 'rotate':
        this.successors.set(body['rotation'] as string, body['publicKey'] as string);
        return ok({ jwt: this.token(body['publicKey'] as string) });
      case 'rotated':
        this.takenUp.push(body['publicKey'] as string);
        return ok({});
      case 'renew':
        return ok({ jwt: this.token(body['publicKey'] as string) });
      case 'self':
        return ok({ node: this.node, name: 'test', slots: 2, drained: false, masterVersion: '0', commandKeys: [] });
    }
  }

  /** Full names of the objects in the target. */
  async names(prefix = ''): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.store.list(prefix)) names.push(name);
    return names;
  }

  private claim(body: Record<string, unknown>): object {
    const { run, attempt, instance } = body as { run: string; attempt: number; instance: string };
    const given = this.claims.get(`${run}.${attempt}`) ?? { claim: `claim-${this.claims.size + 1}`, instance };
    this.claims.set(`${run}.${attempt}`, given);
    return { claim: given.claim, snapshot: run.replace('run_', 'snap_'), specification: this.specification(run), timeoutMs: this.timeoutMs };
  }

  private grant({ access, name, size, sha256 }: GrantRequest): Promise<Grant> {
    const signer = relayGrantSigner({ secret, baseUrl: this.relay.url, scope: 'test' });
    const bound = access === 'write' ? { size: size ?? 0, sha256: Buffer.from(sha256 ?? '', 'hex') } : {};
    return signer.issue({ access, name, expires: systemClock.now() + 60_000, ...bound });
  }
}

/** A folder for a test, with a master in it. */
export const withMaster = async (): Promise<{ master: FakeMaster; dir: string; close: () => Promise<void> }> => {
  const room = scratch();
  const master = await FakeMaster.start(room.dir);
  return {
    master, dir: room.dir,
    close: async () => {
      await master.close();
      room.remove();
    },
  };
};
