import { randomBytes } from 'node:crypto';
import { type ConsumerInfo, type NatsConnection, headers as natsHeaders } from 'nats';
import {
  type Answer, type AskMethod, type ClaimGranted, type Command, SignedMessage, decodeMessage, encodeMessage, heartbeatSeconds, reportMessageId, streams,
  subjects,
} from '#contracts';
import { inboxPrefixOf, newAgeKey, newNkey, openMessage } from '#identity';
import { randomIds, rfc3339, silentLogger, systemClock } from '#kernel';
import { connectBus } from '#messaging';

/** Calls the REST interface of a master; throws what it refuses with. */
export type Call = <T>(method: string, path: string, body?: object) => Promise<T>;

interface Enrolled {
  readonly jwt: string;
  readonly natsUrls: readonly string[];
  readonly commandKeys: readonly { readonly id: string; readonly publicKey: string }[];
}

/** `bind`: a node may not ask about its consumer. */
const wish = { max_messages: 64, expires: 30_000, bind: true };

/**
 * The bus side of an agent: enrolled with a link, with a credential and a command consumer of its own. It claims what it is sent and
 * reports each run as skipped, so that runs end; it moves no data.
 */
export class StandIn {
  private readonly instance = randomBytes(8).toString('hex');
  private readonly beat: NodeJS.Timeout;
  private readonly pulling: Promise<void>;

  private constructor(
    readonly node: string, private readonly bus: NatsConnection, private readonly keys: Enrolled['commandKeys'],
    private readonly onCommand: (run: string, at: number) => void,
  ) {
    this.sendBeat();
    this.beat = setInterval(() => this.sendBeat(), heartbeatSeconds * 1000);
    this.pulling = this.pull();
  }

  /** `onCommand` is told of each command that arrives, with the monotonic time. */
  static async enrol(call: Call, name: string, onCommand: (run: string, at: number) => void): Promise<StandIn> {
    const { id: node } = await call<{ id: string }>('POST', '/api/v1/nodes', { name, slots: 8 });
    const { token } = await call<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
    const [key, age] = [newNkey('user'), await newAgeKey()];
    const host = { hostname: name, platform: 'linux', arch: 'x64', agentVersion: '1.0.0' };
    const { jwt, natsUrls, commandKeys } = await call<Enrolled>('POST', '/api/v1/enrol', { token, publicKey: key.publicKey, recipient: age.recipient, host });
    const bus = await connectBus({
      urls: [...natsUrls], name: node, inboxPrefix: inboxPrefixOf(node), credential: { jwt: () => jwt, seed: key.seed }, clock: systemClock, log: silentLogger,
      signal: AbortSignal.timeout(30_000),
    });
    return new StandIn(node, bus, commandKeys, onCommand);
  }

  async close(): Promise<void> {
    clearInterval(this.beat);
    await this.bus.close();
    await this.pulling;
  }

  private sendBeat(): void {
    const now = systemClock.now();
    this.bus.publish(subjects.heartbeat(this.node), encodeMessage({
      key: this.node, hostname: 'stand-in', ip: '127.0.0.1', mac: '00:00:00:00:00:00', master: '', version: '0.1.0', protocol: 1, instance: this.instance,
      update_ts: rfc3339(now), update_ts_unix: Math.floor(now / 1000), load: 0, slots: 8, running: 0,
    }));
  }

  private async pull(): Promise<void> {
    const info = { stream_name: streams.commands, name: this.node, config: {} } as unknown as ConsumerInfo;
    const consumer = this.bus.jetstream().consumers.getPullConsumerFor(info);
    while (!this.bus.isClosed()) {
      try {
        for await (const message of await consumer.fetch(wish)) {
          const at = performance.now();
          message.ack();
          const command = openMessage(this.keys, 'command', this.node, decodeMessage(SignedMessage, message.data)) as Command;
          const { run, attempt, verb } = command;
          if (run === undefined || verb !== 'backup') continue;
          this.onCommand(run, at);
          void this.work(run, attempt ?? 1).catch((error: unknown) => { if (!this.bus.isClosed()) console.error(`${run}: ${String(error)}`); });
        }
      } catch (error) {
        if (!this.bus.isClosed()) console.error(`${this.node}: ${String(error)}`);
      }
    }
  }

  private async work(run: string, attempt: number): Promise<void> {
    const claimed = await this.ask<ClaimGranted>('claim', { run, attempt, instance: this.instance });
    if (claimed.status !== 'ok') throw new Error(`${claimed.code}: ${claimed.detail}`);
    const { claim } = claimed.value;
    const headers = natsHeaders();
    headers.set('Nats-Msg-Id', reportMessageId(run, attempt, claim));
    const report = { protocol: 1, attempt, claim, outcome: 'skipped', code: 'stand-in', detail: 'A stand-in moves no data', faults: [], faultCount: 0 };
    this.bus.publish(subjects.report(this.node, run), encodeMessage(report), { headers });
  }

  private async ask<T>(method: AskMethod, question: object): Promise<Answer<T>> {
    const reply = await this.bus.request(subjects.ask(this.node, method), encodeMessage({ id: randomIds.next('cmd'), ...question }), { timeout: 10_000 });
    return openMessage(this.keys, 'answer', this.node, decodeMessage(SignedMessage, reply.data)) as Answer<T>;
  }
}
