import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Clock, Logger } from '#kernel';
import { IdempotencyStore } from '../idempotency/idempotency.store.ts';
import { CLOCK, LOGGER } from '../tokens.ts';
import { ReconcileLoop } from './reconcile-loop.ts';

const everyMs = 10 * 60_000;

/** Removes what has expired from the schema `vault`. Slices add what of theirs expires. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly chores: (() => Promise<void>)[];
  private readonly loop: ReconcileLoop;

  constructor(idempotency: IdempotencyStore, @Inject(CLOCK) clock: Clock, @Inject(LOGGER) log: Logger) {
    this.chores = [() => idempotency.expire()];
    this.loop = new ReconcileLoop({ name: 'housekeeping', everyMs, pass: () => this.pass() }, clock, log);
  }

  /** Repeats `chore` every ten minutes; doing it on several masters at once must be harmless. */
  add(chore: () => Promise<void>): void {
    this.chores.push(chore);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private async pass(): Promise<void> {
    for (const chore of this.chores) await chore();
  }
}
