import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { NatsConnection, Subscription } from 'nats';
import { DataSource } from 'typeorm';
import { Progress, decodeMessage, subjects } from '#contracts';
import type { Clock, Logger } from '#kernel';
import { BUS, CLOCK, LOGGER, ReconcileLoop } from '../../../platform/index.ts';

interface Latest {
  readonly node: string;
  readonly progress: Progress;
}

/** Milliseconds between two writes: of each run only the last word since then is written. */
const everyMs = 500;
const keptForDays = 2;

/** Writes what agents say of their progress into the schema `live`. One master hears each word; a lost one is followed by the next. */
@Injectable()
export class ProgressProcess implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly latest = new Map<string, Latest>();
  private readonly loop: ReconcileLoop;
  private subscription: Subscription | undefined;

  constructor(
    @InjectDataSource() private readonly database: DataSource,
    @Inject(BUS) private readonly bus: NatsConnection,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.loop = new ReconcileLoop({ name: 'progress', everyMs, pass: () => this.write() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.subscription = this.bus.subscribe(subjects.allProgress, {
      queue: 'progress',
      callback: (error, message) => {
        if (!error) this.hear(message.subject, message.data);
      },
    });
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.subscription?.unsubscribe();
    await this.loop.stop();
  }

  /** Remembers one word; what cannot be read is dropped. */
  hear(subject: string, data: Uint8Array): void {
    const [, , node, run] = subject.split('.');
    if (!node || !run) return;
    try {
      this.latest.set(run, { node, progress: decodeMessage(Progress, data) });
    } catch {
      this.logger.debug('Progress that cannot be read', { subject });
    }
  }

  private async write(): Promise<void> {
    if (this.latest.size === 0) return;
    const words = [...this.latest].map(([run, { node, progress }]) => ({ run, node, attempt: progress.attempt, progress }));
    this.latest.clear();
    await this.database.query(
      `insert into live.run_progress (run, node, attempt, progress, received_at)
       select w.run, w.node, w.attempt, w.progress, now() from jsonb_to_recordset($1::jsonb) as w(run text, node text, attempt integer, progress jsonb)
       on conflict (run) do update set node = excluded.node, attempt = excluded.attempt, progress = excluded.progress, received_at = excluded.received_at`,
      [JSON.stringify(words)]);
    await this.database.query(`delete from live.run_progress where received_at < now() - interval '${keptForDays} days'`);
  }
}
