import { type Clock, type Logger, messageOf } from '#kernel';

/** What a reconciler repeats, and how often. */
export interface ReconcilerOptions {
  /** Shown in the log. */
  readonly name: string;
  /** Milliseconds between two passes when nobody wakes it. */
  readonly everyMs: number;
  /** Looks for what is due and does it; must be harmless to repeat, also on another master at the same moment. */
  readonly pass: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A duty of the masters: passes over what is due, one at a time, woken by events and repeated every few seconds on every master. It
 * keeps no position, so a crash is repaired by the next pass. A pass that throws is logged and followed by the next in its turn.
 */
export class Reconciler {
  private woken = false;
  private nap = new AbortController();
  private running: Promise<void> | undefined;
  private ending = false;

  constructor(private readonly options: ReconcilerOptions) {}

  /** Begins with a pass at once. */
  start(): void {
    this.running ??= this.loop();
  }

  /** A pass begins as soon as the one at hand is over. Wakes that come meanwhile are one. */
  wake(): void {
    this.woken = true;
    this.nap.abort();
  }

  /** Resolves after the pass at hand. */
  async stop(): Promise<void> {
    this.ending = true;
    this.nap.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { name, everyMs, pass, clock, logger } = this.options;
    while (!this.ending) {
      this.woken = false;
      this.nap = new AbortController();
      try {
        await pass();
      } catch (error) {
        logger.warn('A duty failed and is repeated', { duty: name, reason: messageOf(error) });
      }
      if (this.ending || this.woken) continue;
      await clock.sleep(everyMs, this.nap.signal).catch(() => undefined);
    }
  }
}
