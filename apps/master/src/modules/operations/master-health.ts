import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { NatsConnection } from 'nats';
import { DataSource } from 'typeorm';
import { type Clock, type Logger, fault } from '#kernel';
import type { BusHealth } from '#messaging';
import { type HealthIndicator, type HealthReport, checkHealth } from '#observability';
import type { Follower } from '#projections';
import { BUS, BUS_HEALTH, CLOCK, FOLLOWER, LOGGER } from '../../platform/index.ts';
import { version } from '../../platform/version.ts';

/** Events that the read models may be behind before this master says that it is not ready. */
const toleratedLag = 10_000;

/** Whether this master can do its work. */
@Injectable()
export class MasterHealth implements BeforeApplicationShutdown {
  readonly version = version;
  readonly startedAt: number;
  private stopping = false;
  private readonly others: HealthIndicator[] = [];

  constructor(
    @InjectDataSource() private readonly database: DataSource,
    @Inject(BUS) private readonly bus: NatsConnection,
    @Inject(BUS_HEALTH) private readonly busHealth: BusHealth,
    @Inject(FOLLOWER) private readonly follower: Follower,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.startedAt = clock.now();
  }

  get position(): number {
    return this.follower.position;
  }

  /** Shows something of another slice beside its own. */
  also(indicator: HealthIndicator): void {
    this.others.push(indicator);
  }

  /** Load balancers look elsewhere while this master finishes what it has at hand. */
  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  /** Asks everything this master depends on; at most two seconds. */
  check(): Promise<HealthReport> {
    return checkHealth(this.indicators(), { clock: this.clock, onFailure: (name, reason) => this.logger.warn('not healthy', { indicator: name, reason }) });
  }

  private indicators(): HealthIndicator[] {
    return [
      { name: 'process', check: async () => { if (this.stopping) throw fault('unavailable', 'stopping', 'This master is being stopped; ask another one'); } },
      { name: 'postgres', check: async () => void (await this.database.query('select 1')) },
      { name: 'bus', check: () => this.checkBus() },
      { name: 'projections', check: () => this.checkProjections() },
      ...this.others,
    ];
  }

  private async checkBus(): Promise<void> {
    if (!this.busHealth.isConnected()) throw fault('unavailable', 'bus-disconnected', 'No NATS server can be reached; see whether they run');
    await this.bus.flush();
  }

  private async checkProjections(): Promise<void> {
    const { status } = this.follower;
    if (status.state === 'failing' || status.state === 'halted') throw fault('unavailable', status.code, status.detail);
    const { events } = await this.follower.lag();
    if (events > toleratedLag) throw fault('unavailable', 'projections-behind', `The read models are ${events} events behind; wait until they have caught up`);
  }
}
