import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Clock, Logger } from '#kernel';
import type { Follower } from '#projections';
import { CLOCK, FOLLOWER, LOGGER, ReconcileLoop } from '../../../platform/index.ts';
import { ParentsProcess } from './parents.process.ts';

/** Events after which a parent run may have something to do: it or a child has changed, a slot is free, a node came or went. */
const wakes = new Set([
  'ParentRunRequested', 'ParentRunCancelRequested', 'ParentRunRetried', 'ParentRunReopened', 'RunSucceeded', 'RunPartiallySucceeded', 'RunFailed', 'RunSkipped',
  'RunCancelled', 'RunTimedOut', 'RunLost', 'RunGivenUp', 'RunReturned', 'LaneLeft', 'LeaseReleased', 'NodeConnected', 'NodeResumed', 'NodeEnabled', 'NodeEnrolled', 'NodeChanged',
]);

/** Repeats the duty about parent runs on this master. */
@Injectable()
export class ParentDuty implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcileLoop;
  private unsubscribe: () => void = () => undefined;

  constructor(parents: ParentsProcess, @Inject(FOLLOWER) private readonly follower: Follower, @Inject(CLOCK) clock: Clock, @Inject(LOGGER) logger: Logger) {
    this.loop = new ReconcileLoop({ name: 'parent runs', everyMs: 3_000, restMs: 200, pass: () => parents.pass() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.follower.onEvents((events) => { if (events.some(({ event }) => wakes.has(event.type))) this.loop.wake(); });
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    await this.loop.stop();
  }
}
