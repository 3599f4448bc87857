import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { NatsConnection } from 'nats';
import { eventsStreamConfig } from '#event-store';
import type { Clock, Logger } from '#kernel';
import { type BusHealth, newConsumers, provisionStreams } from '#messaging';
import { BUS, BUS_HEALTH, CLOCK, CONFIG, LOGGER, type MasterConfig, ReconcileLoop } from '../../platform/index.ts';

const everyMs = 60_000;

/** Keeps the streams there: a restarted server has forgotten those in memory. A reconciler. */
@Injectable()
export class StreamsProcess implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcileLoop;
  private unsubscribe: () => void = () => undefined;

  constructor(
    @Inject(BUS) bus: NatsConnection,
    @Inject(BUS_HEALTH) private readonly health: BusHealth,
    @Inject(CONFIG) config: MasterConfig,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) log: Logger,
  ) {
    const replicas = config.streamReplicas;
    const pass = async (): Promise<void> => {
      await provisionStreams(bus, { events: eventsStreamConfig(replicas), replicas, log });
      await newConsumers(bus).ensureReports();
    };
    this.loop = new ReconcileLoop({ name: 'streams', everyMs, pass }, clock, log);
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.health.onReconnect(() => this.loop.wake());
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    await this.loop.stop();
  }
}
