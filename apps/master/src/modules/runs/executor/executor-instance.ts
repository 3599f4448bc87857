import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Clock, IdSource, Logger } from '#kernel';
import { CLOCK, IDS, LOGGER, ReconcileLoop } from '../../../platform/index.ts';
import { EXECUTORS, type Executors } from '../ports.ts';

/** Milliseconds between two signs of life; a master that gives none for a while (`HOLDFAST_EXECUTOR_SILENCE`) is believed dead and its work given up. */
const beatMs = 5_000;

/** This process as one of the masters' executors. */
@Injectable()
export class ExecutorInstance implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Another one at every start. */
  readonly name: string;
  private readonly beating: ReconcileLoop;

  constructor(
    @Inject(EXECUTORS) private readonly executors: Executors, @Inject(IDS) ids: IdSource, @Inject(CLOCK) clock: Clock, @Inject(LOGGER) logger: Logger,
  ) {
    this.name = ids.next('claim');
    this.beating = new ReconcileLoop({ name: 'executor', everyMs: beatMs, pass: () => this.beat() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.beating.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.beating.stop();
  }

  /** Says that this process lives. */
  beat(): Promise<void> {
    return this.executors.beat(this.name);
  }
}
