import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type NatsConnection, headers as natsHeaders } from 'nats';
import {
  type Answer, type AskMethod, type BackupSpecification, type ClaimGranted, type Command, type GrantAnswer, type IdKeyAnswer, type KnownChunksAnswer, type PacksAnswer, type RestoreSpecification, SignedMessage, decodeMessage, encodeMessage, reportMessageId, streams, subjects,
} from '#contracts';
import { inboxPrefixOf, newAgeKey, newNkey, openMessage } from '#identity';
import { fault, randomIds, rfc3339, silentLogger, systemClock } from '#kernel';
import { connectBus } from '#messaging';
import {
  type WriterIdentity, ensureWriterIdentity, handedKeys, importKnownChunks, objectNames, openSealedKeys, repositoryFileOf, runBackup, runRestore, wrapKey,
} from '#repository';
import { filesSource } from '#sources';
import { grantedStore, nodeHttp } from '#storage';
import { tempDir, waitUntil } from '#testing';
import type { TestClient, TestStack } from '../../../testing.ts';

const host = { hostname: 'db1.test', platform: 'linux', arch: 'x64', agentVersion: '1.0.0' };

/** An agent that does what the test says, over the real bus with a real credential. */
export class ScriptedAgent {
  readonly commands: Command[] = [];
  private beating = true;
  private readonly pulse: NodeJS.Timeout;
  private constructor(
    readonly node: string, private readonly bus: NatsConnection, private readonly stack: TestStack,
    private readonly self: { readonly instance: string; readonly relay: string; readonly identity: string; readonly state: string },
  ) {
    this.beat();
    // A node that is silent for longer than masters allow is given nothing to do.
    this.pulse = setInterval(() => this.beat(), 5_000);
  }

  static async enrol(api: TestClient, stack: TestStack, name: string, labels: Readonly<Record<string, string>> = {}): Promise<ScriptedAgent> {
    const node = (await api.json<{ id: string }>('POST', '/api/v1/nodes', { name, slots: 2, labels })).id;
    const link = await api.json<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
    const [key, age] = [newNkey('user'), await newAgeKey()];
    const enrolled = await api.json<{ jwt: string }>('POST', '/api/v1/enrol', { token: link.token, publicKey: key.publicKey, recipient: age.recipient, host });
    const bus = await connectBus({
      urls: [stack.nats.url], name: node, inboxPrefix: inboxPrefixOf(node), credential: { jwt: () => enrolled.jwt, seed: key.seed }, clock: systemClock, log: silentLogger,
      signal: AbortSignal.timeout(10_000),
    });
    const agent = new ScriptedAgent(node, bus, stack, {
      instance: `i-${randomBytes(4).toString('hex')}`, relay: api.url, identity: age.identity, state: await tempDir('agent'),
    });
    void agent.pull();
    await waitUntil(async () => (await api.json<{ presence: string }>('GET', `/api/v1/nodes/${node}`)).presence === 'online');
    return agent;
  }

  get instance(): string {
    return this.self.instance;
  }

  private beat(): void {
    this.bus.publish(subjects.heartbeat(this.node), Buffer.from(JSON.stringify({
      key: this.node, hostname: 'db1.test', ip: '10.0.0.1', mac: '00:00:00:00:00:00', master: 'm', version: '0.1.0', protocol: 1, instance: this.self.instance,
      update_ts: rfc3339(systemClock.now()), update_ts_unix: Math.floor(systemClock.now() / 1000), load: 0.5, slots: 2, running: 0,
    })));
  }

  /** Takes commands and acks each at once, as rule 5 says. */
  private async pull(): Promise<void> {
    const consumer = this.bus.jetstream().consumers.getPullConsumerFor({ stream_name: streams.commands, name: this.node, config: {} } as never);
    while (this.beating) {
      try {
        const message = await consumer.next({ expires: 2000, bind: true });
        if (!message) continue;
        this.commands.push(openMessage([this.stack.nats.keys.commandSigning], 'command', this.node, decodeMessage(SignedMessage, message.data)) as Command);
        message.ack();
      } catch {
        if (this.bus.isClosed()) return;
      }
    }
  }

  async ask<T>(method: AskMethod, question: object): Promise<Answer<T>> {
    const id = randomIds.next('cmd');
    const reply = await this.bus.request(subjects.ask(this.node, method), encodeMessage({ id, ...question }), { timeout: 20_000 });
    return openMessage([this.stack.nats.keys.commandSigning], 'answer', this.node, decodeMessage(SignedMessage, reply.data)) as Answer<T>;
  }

  /** The command of the first attempt, or of the first one from `attempt` on. */
  async command(run: string, verb: string, attempt = 1): Promise<Command> {
    return waitUntil(() => this.commands.find((command) => command.run === run && command.verb === verb && (command.attempt ?? 0) >= attempt));
  }

  async claim(run: string, verb = 'backup', from = 1): Promise<ClaimGranted & { run: string; attempt: number }> {
    const { attempt = 0 } = await this.command(run, verb, from);
    const answer = await this.ask<ClaimGranted>('claim', { run, attempt, instance: this.self.instance });
    if (answer.status !== 'ok') throw new Error(`${answer.code}: ${answer.detail}`);
    return { run, attempt, ...answer.value };
  }

  /** The repository as this agent may reach it: through grants of its live claim. */
  private store(holder: { run: string; attempt: number; claim: string }) {
    const { run, attempt, claim } = holder;
    return grantedStore({
      http: nodeHttp(),
      requestGrants: async (objects) => {
        const answer = await this.ask<GrantAnswer>('grant', { holder: { run, attempt, claim }, objects });
        if (answer.status !== 'ok') throw fault('refused', answer.code, answer.detail);
        // The test's masters listen on ports that they learn at start, so their public URL names none.
        return answer.value.grants.map((grant) => ({ ...grant, url: this.self.relay + new URL(grant.url).pathname + new URL(grant.url).search }));
      },
    });
  }

  /** Makes the snapshot that the claim asks for, with the real engine; what an agent would report. */
  async backup(held: ClaimGranted & { run: string; attempt: number }, importedKnown?: AsyncIterable<Uint8Array>): Promise<Made> {
    const { repository, task, time, source, previousSnapshot } = held.specification as BackupSpecification;
    const made = await runBackup({
      writer: this.store(held), source: filesSource({ paths: source.paths }), stateDir: this.self.state,
      repository: { ...repository, identity: await ensureWriterIdentity(this.self.state), create: repository.id === undefined, ...(importedKnown ? { importedKnown } : {}) },
      subject: { snapshotId: held.snapshot!, taskId: task, time, ...(previousSnapshot === undefined ? {} : { previousSnapshot }) },
    } as never);
    const { id, name, size } = made.snapshot;
    return {
      attempt: held.attempt, claim: held.claim, outcome: made.outcome, statistics: made.statistics,
      proposal: { id, object: { name, size }, repositoryId: made.repositoryId, idKeyId: made.idKeyId, keys: made.keys, packs: made.packs },
    };
  }

  /** Restores as the claim asks, with the keys that were sealed to this agent. */
  async restore(held: ClaimGranted & { run: string; attempt: number }): Promise<object> {
    const { snapshotObject, destination, mode, sealedKeys } = held.specification as RestoreSpecification;
    const { run, attempt, claim } = held;
    const packs = await this.ask<PacksAnswer>('packs', { holder: { run, attempt, claim } });
    if (packs.status !== 'ok') throw new Error(packs.code);
    const keys = handedKeys(await openSealedKeys(Buffer.from(sealedKeys, 'base64'), this.self.identity));
    const { outcome } = await runRestore({ reader: this.store(held), keys, snapshotObject, packs: packs.value.names, destination, mode });
    return { attempt, claim, outcome };
  }

  /** Ids of the keys that came with the claim of a restore. */
  async handed(held: ClaimGranted): Promise<string[]> {
    const { sealedKeys } = held.specification as RestoreSpecification;
    return (await openSealedKeys(Buffer.from(sealedKeys, 'base64'), this.self.identity)).map(({ key }) => key.id);
  }

  /** Throws away everything but the id key. */
  async loseCache(): Promise<void> {
    for (const name of await readdir(this.self.state)) if (name !== 'id-key') await rm(join(this.self.state, name), { recursive: true });
  }

  /** Id of the id key that the masters hand back. */
  async idKey({ run, attempt, claim }: ClaimGranted & { run: string; attempt: number }): Promise<string | undefined> {
    const answer = await this.ask<IdKeyAnswer>('id-key', { holder: { run, attempt, claim } });
    if (answer.status !== 'ok') throw new Error(answer.code);
    const { sealed } = answer.value;
    return sealed === undefined ? undefined : (await openSealedKeys(Buffer.from(sealed, 'base64'), this.self.identity))[0]?.key.id;
  }

  /** Stores an id key of a new writer, wrapped. Returns the writer. */
  async leaveIdKey(held: ClaimGranted & { run: string; attempt: number }): Promise<WriterIdentity> {
    const writer = await ensureWriterIdentity(await tempDir('writer'));
    const file = await wrapKey(writer.idKey, (held.specification as BackupSpecification).repository.dataRecipients);
    const sha256 = createHash('sha256').update(file).digest();
    await this.store(held).put(objectNames.idKey(writer.idKey.id, sha256), [file], { sha256 });
    return writer;
  }

  /** Begins a repository and dies before `repository.json` is written. Returns the id of its id key. */
  async begin(held: ClaimGranted & { run: string; attempt: number }): Promise<string> {
    const { idKey } = await this.leaveIdKey(held);
    const file = repositoryFileOf(idKey);
    const object = { access: 'write', name: 'repository.json', size: file.length, sha256: createHash('sha256').update(file).digest('hex') };
    const { run, attempt, claim } = held;
    const answer = await this.ask<GrantAnswer>('grant', { holder: { run, attempt, claim }, objects: [object] });
    if (answer.status !== 'ok') throw fault('refused', answer.code, answer.detail);
    return idKey.id;
  }

  /** Ids of the chunks that the masters say are stored, and under which generation. */
  async stored({ run, attempt, claim }: ClaimGranted & { run: string; attempt: number }): Promise<{ generation: number; ids: string[] }> {
    const answer = await this.ask<KnownChunksAnswer>('known-chunks', { holder: { run, attempt, claim } });
    if (answer.status !== 'ok') throw new Error(answer.code);
    const { generation, object } = answer.value;
    if (!object) return { generation, ids: [] };
    const response = await fetch(this.self.relay + new URL(object.url).pathname + new URL(object.url).search, { headers: object.headers });
    const ids: string[] = [];
    for await (const id of importKnownChunks(Buffer.from(await response.arrayBuffer()))) ids.push(Buffer.from(id).toString('hex'));
    return { generation, ids };
  }

  log(run: string, text: string): void {
    this.bus.publish(subjects.log(this.node, run), encodeMessage({ attempt: 1, lines: [{ n: 1, time: '2026-01-01T00:00:00Z', level: 'info', text }] }));
  }

  report(run: string, said: object): void {
    const report = said as { attempt: number; claim: string; outcome: string };
    this.bus.publish(subjects.report(this.node, run), encodeMessage({ protocol: 1, faults: [], faultCount: 0, ...report }), {
      headers: headersOf(reportMessageId(run, report.attempt, report.claim)),
    });
  }

  async close(): Promise<void> {
    this.beating = false;
    clearInterval(this.pulse);
    await this.bus.close();
  }
}

/** What a backup made; a report. */
export interface Made {
  readonly attempt: number;
  readonly claim: string;
  readonly outcome: string;
  readonly proposal: Proposal;
  readonly statistics: { readonly addedBytes: number; readonly storedBytes: number };
}
interface Proposal {
  readonly id: string;
  readonly object: { readonly name: string; readonly size: number };
  readonly repositoryId: string;
  readonly idKeyId: string;
  readonly packs: readonly object[];
  readonly keys: readonly { readonly class: string; readonly keyId: string }[];
}
/** Ids of the data keys that a backup wrapped. */
export const dataKeys = ({ proposal }: { proposal: Proposal }): string[] => proposal.keys.filter((key) => key.class === 'data').map(({ keyId }) => keyId);

const headersOf = (id: string) => {
  const made = natsHeaders();
  made.set('Nats-Msg-Id', id);
  return made;
};
