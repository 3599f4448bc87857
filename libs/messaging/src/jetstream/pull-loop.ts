import { type Consumer, type ConsumerInfo, type ConsumerMessages, Events, type JsMsg, type NatsConnection } from 'nats';
import { type Clock, type Logger, messageOf } from '#kernel';

/** What to pull and who takes it. */
export interface PullLoopOptions {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  /** Messages handled at the same time. */
  readonly concurrency: number;
  /** Milliseconds that a pull waits at the server. */
  readonly expiresMs: number;
  /** Handles and settles; must not reject. */
  readonly handle: (message: JsMsg) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The consumer by its names alone: asking the server about it needs permissions that agents do not have. */
const bound = (connection: NatsConnection, stream: string, name: string): Consumer =>
  connection.jetstream().consumers.getPullConsumerFor({ stream_name: stream, name, config: {} } as unknown as ConsumerInfo);

/**
 * Pulls from a durable consumer with nothing but the permission to pull (`$JS.API.CONSUMER.MSG.NEXT`). The client's own `consume()`
 * needs more and turns into a hot loop when the consumer is missing; here a failed pull waits, longer each time up to 30 s.
 * Pulls anew after a reconnection, under another reply subject: a pull across the border of an account dies with its connection, and the
 * server would go on giving it messages, which nobody gets, if its reply subject were listened to again.
 */
export class PullLoop {
  private readonly options: PullLoopOptions;
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private current: ConsumerMessages | undefined;
  private loop: Promise<void> | undefined;
  private failures = 0;
  private unwatch: () => void = () => undefined;

  constructor(options: PullLoopOptions) {
    this.options = options;
  }

  /** Messages being handled now. */
  get inFlight(): number {
    return this.running.size;
  }

  /** Failed pulls in a row; 0 when it works. */
  get failedPulls(): number {
    return this.failures;
  }

  start(): void {
    if (this.loop) return;
    this.loop = this.run();
    void this.watch();
  }

  /** Pulls no more and waits until all messages in hand are settled, at most `graceMs`; the rest is delivered again. */
  async stop(graceMs: number): Promise<void> {
    this.stopping.abort();
    this.unwatch();
    this.current?.stop();
    const drained = (async () => {
      await this.loop;
      await Promise.all(this.running);
    })();
    const patience = new AbortController();
    await Promise.race([drained, this.options.clock.sleep(graceMs, patience.signal).catch(() => undefined)]);
    patience.abort();
  }

  private async watch(): Promise<void> {
    const statuses = this.options.connection.status();
    this.unwatch = () => (statuses as { stop?: () => void }).stop?.();
    for await (const { type } of statuses) if (type === Events.Disconnect) this.current?.stop();
  }

  private async run(): Promise<void> {
    const { clock, log, stream, consumer, concurrency } = this.options;
    while (!this.stopping.signal.aborted) {
      if (this.running.size >= concurrency) {
        await Promise.race(this.running);
        continue;
      }
      const started = clock.monotonic();
      try {
        const got = await this.pull(concurrency - this.running.size);
        // A pull that ends at once with nothing in hand did not wait at the server: as good as refused.
        this.failures = got > 0 || clock.monotonic() - started > 100 ? 0 : this.failures + 1;
      } catch (error) {
        this.failures += 1;
        if (this.failures === 1) log.warn('Pulling messages fails; trying again', { stream, consumer, reason: messageOf(error) });
      }
      if (this.failures > 0) await this.pause();
    }
  }

  private async pull(most: number): Promise<number> {
    const { connection, stream, consumer, expiresMs } = this.options;
    const options = { max_messages: most, expires: expiresMs, bind: true };
    const messages = await bound(connection, stream, consumer).fetch(options);
    this.current = messages;
    if (this.stopping.signal.aborted) messages.stop();
    let got = 0;
    for await (const message of messages) {
      got += 1;
      this.take(message);
    }
    return got;
  }

  private take(message: JsMsg): void {
    const work = this.options.handle(message).finally(() => this.running.delete(work));
    this.running.add(work);
  }

  private async pause(): Promise<void> {
    const { clock } = this.options;
    const ms = Math.min(30_000, 250 * 2 ** Math.min(this.failures - 1, 10)) * (0.7 + Math.random() * 0.6);
    await clock.sleep(ms, this.stopping.signal).catch(() => undefined);
  }
}
