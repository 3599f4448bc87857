import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Clock, Logger } from '#kernel';
import { CLOCK, LOGGER, ReconcileLoop } from '../../../platform/index.ts';
import { ScheduleProcess } from './schedule.process.ts';

/** Repeats the scheduler on this master, every second. */
@Injectable()
export class ScheduleDuty implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcileLoop;

  constructor(schedule: ScheduleProcess, @Inject(CLOCK) clock: Clock, @Inject(LOGGER) logger: Logger) {
    this.loop = new ReconcileLoop({ name: 'schedule', everyMs: 1_000, pass: () => schedule.pass() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }
}
