import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { type Logger, messageOf } from '#kernel';
import { IdempotencyStore } from '../idempotency/idempotency.store.ts';
import { LOGGER } from '../tokens.ts';

const everyMs = 10 * 60_000;

/**
 * Removes what has expired from the schema `vault`, every ten minutes. Nothing waits for it: what has expired is refused by its own
 * date, whether its row is still there or not. Slices add what of theirs expires.
 */
@Injectable()
export class Housekeeping {
  private readonly chores: (() => Promise<void>)[];

  constructor(idempotency: IdempotencyStore, @Inject(LOGGER) private readonly log: Logger) {
    this.chores = [() => idempotency.expire()];
  }

  /** Adds a chore; doing it on several masters at once must be harmless. */
  add(chore: () => Promise<void>): void {
    this.chores.push(chore);
  }

  /** Does every chore once; one that fails is told of and keeps no other from being done. */
  @Interval('housekeeping', everyMs)
  async pass(): Promise<void> {
    for (const chore of this.chores) {
      await chore().catch((error: unknown) => this.log.warn('housekeeping failed and is tried again later', { error: messageOf(error) }));
    }
  }
}
