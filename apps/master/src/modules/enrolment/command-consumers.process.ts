import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from 'nats';
import { type Clock, type Logger, controlNode } from '#kernel';
import { type Consumers, newConsumers } from '#messaging';
import type { Follower } from '#projections';
import { BUS, CLOCK, FOLLOWER, LOGGER, ReconcileLoop } from '../../platform/index.ts';
import { NodeLookup } from '../nodes/index.ts';

const everyMs = 30_000;

/** Keeps one consumer of COMMANDS for each enrolled node, and none for nodes that are gone. A reconciler. */
@Injectable()
export class CommandConsumers implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly consumers: Consumers;
  private readonly loop: ReconcileLoop;
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly nodes: NodeLookup,
    @Inject(FOLLOWER) private readonly follower: Follower,
    @Inject(BUS) bus: NatsConnection,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) log: Logger,
  ) {
    this.consumers = newConsumers(bus);
    this.loop = new ReconcileLoop({ name: 'command consumers', everyMs, pass: () => this.pass() }, clock, log);
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.follower.onEvents((events) => {
      if (events.some(({ event }) => event.type === 'NodeEnrolled' || event.type === 'NodeRemoved')) this.loop.wake();
    });
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    await this.loop.stop();
  }

  /** The node can be sent commands when this resolves. */
  ensure(node: string): Promise<void> {
    return this.consumers.ensureNode(node);
  }

  private async pass(): Promise<void> {
    const existing = new Set(await this.consumers.nodes());
    const known = await this.nodes.list();
    const wanted = new Set<string>([controlNode, ...known.filter((node) => node.enrolled).map((node) => node.id)]);
    for (const node of wanted) if (!existing.has(node)) await this.consumers.ensureNode(node);
    // A node that is about to enrol is known, so nobody's consumer is taken away while they are being made.
    const there = new Set(known.map((node) => node.id));
    for (const node of existing) {
      if (node.startsWith('node_') && !there.has(node) && !wanted.has(node)) await this.consumers.removeNode(node);
    }
  }
}
