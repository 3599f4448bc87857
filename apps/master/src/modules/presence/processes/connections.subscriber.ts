import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Msg, NatsConnection, Subscription } from 'nats';
import { type InstallationKeys, decodeJwt } from '#identity';
import { type Logger, messageOf, parseTime } from '#kernel';
import { KEYS, LOGGER, SYSTEM_BUS } from '../../../platform/index.ts';
import { HeartbeatRows } from './heartbeat-rows.ts';
import { PresenceCommands } from './presence-commands.ts';

/** How agents call a connection that they make to try a credential, and end. */
const trialName = 'holdfast-agent-trial';

/** What the servers tell about a connection of the account AGENTS; we read no more than this of it. */
interface ConnectionEvent {
  readonly timestamp?: string;
  readonly client?: { readonly jwt?: string; readonly name?: string; readonly stop?: string };
  readonly reason?: string;
}

/** The node and key whose token the client presented; undefined when there is none, or for an agent that only tries a new key. */
const speakerOf = ({ client }: ConnectionEvent): { readonly node: string; readonly publicKey: string } | undefined => {
  try {
    if (!client?.jwt || client.name?.startsWith(trialName)) return undefined;
    const { name, sub } = decodeJwt(client.jwt);
    return { node: name, publicKey: sub };
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
      this.hear(`$SYS.ACCOUNT.${account}.DISCONNECT`, ({ node, publicKey }, event) => this.ended(node, publicKey, event)),
      this.hear(`$SYS.ACCOUNT.${account}.CONNECT`, ({ node }) => this.rows.connected([node])),
    ];
  }

  beforeApplicationShutdown(): void {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private hear(subject: string, act: (speaker: { readonly node: string; readonly publicKey: string }, event: ConnectionEvent) => Promise<void>): Subscription {
    const handle = async (message: Msg): Promise<void> => {
      const event = message.json<ConnectionEvent>();
      const speaker = speakerOf(event);
      if (speaker) await act(speaker, event);
    };
    return this.system.subscribe(subject, {
      // What is missed here is found by silence.
      callback: (error, message) => {
        if (error) this.log.warn('connection events cannot be received', { subject, reason: error.message });
        else handle(message).catch((cause: unknown) => this.log.warn('a connection event was not handled', { subject, reason: messageOf(cause) }));
      },
    });
  }

  private async ended(node: string, publicKey: string, { timestamp, client, reason = 'unknown' }: ConnectionEvent): Promise<void> {
    const at = parseTime(client?.stop ?? timestamp ?? '');
    if (Number.isNaN(at) || !(await this.presence.isKeyOf(node, publicKey))) return;
    await this.rows.disconnected({ node, at: new Date(at), reason: reason.slice(0, 200) });
    await this.presence.decide(node, { type: 'SuspectNode', reason: `its connection ended: ${reason.slice(0, 200)}` });
  }
}
