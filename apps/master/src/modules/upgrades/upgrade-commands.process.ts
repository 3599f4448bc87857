import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { NatsConnection } from 'nats';
import { MoreThan, Repository } from 'typeorm';
import { protocolVersion } from '#contracts';
import type { InstallationKeys } from '#identity';
import { type Clock, type Logger, rfc3339 } from '#kernel';
import { CommandPublisher } from '#messaging';
import type { Follower } from '#projections';
import { BUS, CLOCK, FOLLOWER, KEYS, LOGGER, ReconcileLoop } from '../../platform/index.ts';
import { UpgradeRow } from './read-models/upgrade.entity.ts';

const everyMs = 15_000;
/** Milliseconds for which an order is told by command; whoever missed it hears it at the next `self`. Less than the stream remembers ids. */
const toldMs = 90_000;

/** Tells agents at once that there is an order for them. The order itself is in every answer to `self`. A reconciler. */
@Injectable()
export class UpgradeCommands implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcileLoop;
  private readonly publisher: CommandPublisher;
  private unsubscribe: () => void = () => undefined;

  constructor(
    @InjectRepository(UpgradeRow) private readonly rows: Repository<UpgradeRow>,
    @Inject(FOLLOWER) private readonly follower: Follower,
    @Inject(BUS) bus: NatsConnection,
    @Inject(KEYS) keys: InstallationKeys,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) log: Logger,
  ) {
    this.publisher = new CommandPublisher(bus, keys.commandSigning, clock);
    this.loop = new ReconcileLoop({ name: 'upgrade commands', everyMs, pass: () => this.pass() }, clock, log);
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.follower.onEvents((events) => {
      if (events.some(({ event }) => event.type === 'NodeUpgradeOrdered')) this.loop.wake();
    });
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    await this.loop.stop();
  }

  private async pass(): Promise<void> {
    const since = new Date(this.clock.now() - toldMs);
    for (const { node, orderedAt } of await this.rows.findBy({ status: 'ordered', orderedAt: MoreThan(since) })) {
      // The same message from every master and at every pass: the stream keeps one.
      await this.publisher.send({ protocol: protocolVersion, node, verb: 'upgrade', issuedAt: rfc3339(orderedAt.getTime()) });
    }
  }
}
