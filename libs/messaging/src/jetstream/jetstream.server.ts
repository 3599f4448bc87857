import type { MessageHandler } from '@nestjs/microservices';
import type { JsMsg, NatsConnection } from 'nats';
import { type Clock, type Logger, fault } from '#kernel';
import { BusServer } from '../bus.server.ts';
import { JetStreamContext } from './jetstream.context.ts';
import { PullLoop } from './pull-loop.ts';
import { type Outcome, settle } from './settle.ts';

/** Which consumer feeds which handlers. */
export interface JetStreamServerOptions {
  readonly connection: NatsConnection;
  readonly stream: string;
  /** Name of a durable pull consumer that exists or will exist. */
  readonly consumer: string;
  /** Only handlers of this transport are bound. */
  readonly transport: symbol;
  /** The pattern of the handler for a subject. */
  readonly pattern: (subject: string) => string;
  /** The payload of a message; what it throws is judged like an error of the handler. Default: its bytes. */
  readonly decode?: (message: JsMsg) => unknown;
  /** Messages handled at the same time. Default 1: in order. */
  readonly concurrency?: number;
  /** `ack_wait` of the consumer in milliseconds. Default 30,000. */
  readonly ackWaitMs?: number;
  /** Milliseconds that a pull waits at the server. Default 30,000. */
  readonly expiresMs?: number;
  /** Longest delay before a redelivery in milliseconds. Default 60,000. */
  readonly maxDelayMs?: number;
  /** Longest wait in milliseconds for messages in hand at shutdown. Default 10,000. */
  readonly graceMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Counted by the caller's metrics. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/**
 * A Nest transport over a durable JetStream consumer. A message is acked, with confirmation, when and only when its handler
 * resolved; an error of the handler is never swallowed: it comes again after a delay, or is terminated when no repetition would
 * help (see `isPoison`). Delivery is at least once: handlers must be idempotent.
 */
export class JetStreamServer extends BusServer {
  /** Nest must not report errors of event handlers as unhandled: they are settled here. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly options: JetStreamServerOptions;
  private readonly loop: PullLoop;

  constructor(options: JetStreamServerOptions) {
    super(options);
    this.options = options;
    const { connection, stream, consumer, clock, log, concurrency = 1, expiresMs = 30_000 } = options;
    this.loop = new PullLoop({ connection, stream, consumer, concurrency, expiresMs, clock, log, handle: (message) => this.deliver(message) });
  }

  listen(callback: (error?: unknown) => void): void {
    this.loop.start();
    callback();
  }

  /** Stops pulling, lets handlers finish and their acks be confirmed. The connection stays open: it is not ours. */
  async close(): Promise<void> {
    await this.loop.stop(this.options.graceMs ?? 10_000);
  }

  /** Failed pulls in a row and messages in hand, for health and metrics. */
  get state(): { readonly failedPulls: number; readonly inFlight: number } {
    return { failedPulls: this.loop.failedPulls, inFlight: this.loop.inFlight };
  }

  private async deliver(message: JsMsg): Promise<void> {
    const { connection, clock, log, ackWaitMs = 30_000, maxDelayMs = 60_000, onOutcome } = this.options;
    const outcome = await settle(message, (delivered) => this.handle(delivered), { connection, clock, log, ackWaitMs, maxDelayMs });
    onOutcome?.(outcome);
  }

  private async handle(message: JsMsg): Promise<void> {
    const { pattern, decode = ({ data }: JsMsg) => data } = this.options;
    const name = pattern(message.subject);
    const handler: MessageHandler | null = this.getHandlerByPattern(name);
    if (!handler) throw fault('internal', 'no-handler', `Nothing handles ${name}; a newer version of this program may`);
    await this.resultOf(await handler(decode(message), new JetStreamContext([message])));
  }
}
