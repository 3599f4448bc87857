import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, Events, type NatsConnection, connect, jwtAuthenticator } from 'nats';
import { type Answer, type AskMethod, SignedMessage, decodeMessage, encodeMessage, protocolVersion, subjects } from '#contracts';
import { inboxPrefixOf, openMessage } from '#identity';
import { waitUntil } from '#testing';

/** What speaks as a node on the bus. */
export interface NodeAccess {
  readonly node: string;
  readonly natsUrls: readonly string[];
  readonly commandKeys: readonly { readonly id: string; readonly publicKey: string }[];
  readonly jwt: string;
  readonly seed: string;
}

/** Reads the access of a node out of its agent's state directory, as whoever copied it could. */
export const accessIn = (state: string): NodeAccess => {
  const read = (name: string): string => readFileSync(join(state, name), 'utf8').trim();
  const facts = JSON.parse(read('node.json')) as Pick<NodeAccess, 'node' | 'natsUrls' | 'commandKeys'>;
  return { ...facts, jwt: read('nats.jwt'), seed: read('nats.seed') };
};

/** Somebody who holds a node's credential and no agent program. */
export class BusSpeaker {
  /** `publish SUBJECT` and `subscription SUBJECT` that the server has refused. */
  readonly refused: string[] = [];

  private constructor(
    readonly access: NodeAccess,
    readonly connection: NatsConnection,
  ) {}

  static async connect(access: NodeAccess, more: ConnectionOptions = {}): Promise<BusSpeaker> {
    const connection = await connect({
      servers: [...access.natsUrls], authenticator: jwtAuthenticator(access.jwt, new TextEncoder().encode(access.seed)), inboxPrefix: inboxPrefixOf(access.node),
      reconnect: false, timeout: 5_000, ...more,
    });
    const speaker = new BusSpeaker(access, connection);
    void speaker.listen();
    return speaker;
  }

  /** Resolves when the server has refused it; rejects when it takes longer than two seconds. */
  async isRefused(operation: 'publish' | 'subscription', subject: string, use: () => void): Promise<void> {
    const before = this.refused.length;
    use();
    await this.connection.flush();
    await waitUntil(() => this.refused.slice(before).includes(`${operation} ${subject}`), 5_000);
  }

  /** Says once that the node is there, as its agent would every few seconds. */
  beat(instance: string): void {
    const { node } = this.access;
    this.connection.publish(subjects.heartbeat(node), encodeMessage({
      key: node, hostname: 'host', ip: '127.0.0.1', mac: '', master: 'nats', version: '0.1.0', protocol: protocolVersion, instance,
      update_ts: '2026-01-01T00:00:00Z', update_ts_unix: 0, load: 0, slots: 1, running: 0,
    }));
  }

  /** Asks a question of agents and returns the masters' answer, its signature checked. */
  async ask<T>(method: AskMethod, question: object): Promise<Answer<T>> {
    const { node, commandKeys } = this.access;
    const reply = await this.connection.request(subjects.ask(node, method), encodeMessage({ id: 'q', ...question }), { timeout: 10_000 });
    return openMessage(commandKeys, 'answer', node, decodeMessage(SignedMessage, reply.data)) as Answer<T>;
  }

  private async listen(): Promise<void> {
    for await (const status of this.connection.status()) {
      const { permissionContext } = status as { permissionContext?: { operation: string; subject: string } };
      if (status.type === Events.Error && permissionContext) this.refused.push(`${permissionContext.operation} ${permissionContext.subject}`);
    }
  }
}

/** Every file below a folder. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));

/** Files below a folder that hold the bytes: raw, or as text in a usual encoding. */
export const holdersOf = (folder: string, secret: Uint8Array): string[] => {
  const raw = Buffer.from(secret);
  const forms = [raw, raw.toString('hex'), raw.toString('hex').toUpperCase(), raw.toString('base64').replace(/=+$/, ''), raw.toString('base64url')];
  return filesBelow(folder).filter((file) => forms.some((form) => readFileSync(file).includes(form)));
};
