import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { type Clock, type IdSource, type Logger, fault } from '#kernel';
import { CLOCK, CONFIG, IDS, LOGGER, type MasterConfig, ReconcileLoop } from '../../../platform/index.ts';
import { EXECUTORS, type Executors } from '../ports.ts';

/** Milliseconds between two signs of life; a master that gives none for a while (`HOLDFAST_EXECUTOR_SILENCE`) is believed dead and its work given up. */
const beatMs = 5_000;

/** Throws `executor-cut-off` when others may believe that the work at hand was given up. */
export type Tether = () => void;

/** This process as one of the masters' executors. */
@Injectable()
export class ExecutorInstance implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Another one at every start. */
  readonly name: string;
  private readonly beating: ReconcileLoop;
  /** Half of the time for which the others believe a sign of life: what is on its way by then has the other half to arrive. */
  private readonly ropeMs: number;
  /** On this process's own clock, when it asked for the last sign of life that was kept. */
  private beatAt = -Infinity;
  private gaps = 0;

  constructor(
    @Inject(EXECUTORS) private readonly executors: Executors, @Inject(IDS) ids: IdSource, @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger, @Inject(CONFIG) config: MasterConfig,
  ) {
    this.name = ids.next('claim');
    this.ropeMs = config.executorSilence * 500;
    this.beating = new ReconcileLoop({ name: 'executor', everyMs: beatMs, pass: () => this.beat() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.beating.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.beating.stop();
  }

  /** Says that this process lives. */
  async beat(): Promise<void> {
    const asked = this.clock.monotonic();
    await this.executors.beat(this.name);
    if (asked - this.beatAt > this.ropeMs) this.gaps++;
    this.beatAt = asked;
  }

  /**
   * For work that begins now, to be asked before each step that cannot be undone: a process that was stopped for a while, or cut off from
   * the database, must not go on with what another master has taken up meanwhile. Never holds again once it has not.
   */
  tether(): Tether {
    const { gaps } = this;
    return () => {
      if (gaps === this.gaps && this.clock.monotonic() - this.beatAt <= this.ropeMs) return;
      throw fault('unavailable', 'executor-cut-off', 'The master was stopped or cut off from its database in the middle; nothing more was deleted, the next prune goes on');
    };
  }
}
