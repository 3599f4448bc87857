import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Msg, NatsConnection, Subscription } from 'nats';
import { type InstallationKeys, decodeJwt } from '#identity';
import { type Logger, messageOf, parseTime } from '#kernel';
import { KEYS, LOGGER, SYSTEM_BUS } from '../../../platform/index.ts';
import { HeartbeatRows } from './heartbeat-rows.ts';
import { PresenceCommands } from './presence-commands.ts';

/** What the servers tell about a connection of the account AGENTS; we read no more than this of it. */
interface ConnectionEvent {
  readonly timestamp?: string;
  readonly client?: { readonly jwt?: string; readonly stop?: string };
  readonly reason?: string;
}

/** The node whose token the client presented; undefined when there is none. */
const nodeOf = ({ client }: ConnectionEvent): string | undefined => {
  try {
    return client?.jwt ? decodeJwt(client.jwt).name : undefined;
  } catch {
    return undefined;
  }
};

/** Hears from the servers when an agent's connection ends or begins: much sooner than by its silence. */
@Injectable()
export class ConnectionsSubscriber implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private subscriptions: Subscription[] = [];

  constructor(
    private readonly rows: HeartbeatRows,
    private readonly presence: PresenceCommands,
    @Inject(SYSTEM_BUS) private readonly system: NatsConnection,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const account = this.keys.agents.publicKey;
    this.subscriptions = [
      this.hear(`$SYS.ACCOUNT.${account}.DISCONNECT`, (node, event) => this.ended(node, event)),
      this.hear(`$SYS.ACCOUNT.${account}.CONNECT`, (node) => this.rows.connected([node])),
    ];
  }

  beforeApplicationShutdown(): void {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private hear(subject: string, act: (node: string, event: ConnectionEvent) => Promise<void>): Subscription {
    const handle = async (message: Msg): Promise<void> => {
      const event = message.json<ConnectionEvent>();
      const node = nodeOf(event);
      if (node !== undefined) await act(node, event);
    };
    return this.system.subscribe(subject, {
      // What is missed here is found by silence.
      callback: (error, message) => {
        if (error) this.log.warn('connection events cannot be received', { subject, reason: error.message });
        else handle(message).catch((cause: unknown) => this.log.warn('a connection event was not handled', { subject, reason: messageOf(cause) }));
      },
    });
  }

  private async ended(node: string, { timestamp, client, reason = 'unknown' }: ConnectionEvent): Promise<void> {
    const at = parseTime(client?.stop ?? timestamp ?? '');
    if (Number.isNaN(at) || !(await this.presence.existing([node])).has(node)) return;
    await this.rows.disconnected({ node, at: new Date(at), reason: reason.slice(0, 200) });
    await this.presence.decide(node, { type: 'SuspectNode', reason: `its connection ended: ${reason.slice(0, 200)}` });
  }
}
