import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Clock, Logger } from '#kernel';
import type { Follower } from '#projections';
import { CLOCK, FOLLOWER, LOGGER, ReconcileLoop } from '../../../platform/index.ts';
import { DispatchProcess } from './dispatch.process.ts';
import { RewrapProcess } from './rewrap.process.ts';
import { SupervisionProcess } from './supervision.process.ts';

/** Events after which a waiting run may be able to begin. A requested one is sent by whoever requested it, or by the next pass. */
const wakes = new Set(['RunRetried', 'RunReturned', 'LeaseReleased', 'LaneLeft', 'NodeConnected', 'NodeResumed', 'NodeEnabled', 'NodeEnrolled', 'NodeChanged']);

/** Repeats the duties about runs on this master. */
@Injectable()
export class RunDuties implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly dispatching: ReconcileLoop;
  private readonly supervising: ReconcileLoop;
  private readonly rewrapping: ReconcileLoop;
  private unsubscribe: () => void = () => undefined;

  constructor(
    dispatch: DispatchProcess,
    supervision: SupervisionProcess,
    rewrap: RewrapProcess,
    @Inject(FOLLOWER) private readonly follower: Follower,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.dispatching = new ReconcileLoop({ name: 'dispatch', everyMs: 3_000, restMs: 100, pass: () => dispatch.pass() }, clock, logger);
    this.supervising = new ReconcileLoop({ name: 'supervision', everyMs: 5_000, pass: () => supervision.pass() }, clock, logger);
    this.rewrapping = new ReconcileLoop({ name: 'recovery recipients', everyMs: 30_000, pass: () => rewrap.pass() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.follower.onEvents((events) => {
      if (events.some(({ event }) => wakes.has(event.type))) this.dispatching.wake();
      if (events.some(({ event }) => event.type === 'RecoveryRecipientAdded')) this.rewrapping.wake();
    });
    this.dispatching.start();
    this.supervising.start();
    this.rewrapping.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    await Promise.all([this.dispatching.stop(), this.supervising.stop(), this.rewrapping.stop()]);
  }
}
