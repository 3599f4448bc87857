import { type Clock, type Logger, isAppError, messageOf } from '#kernel';

/** A duty of the masters: it looks at what is due and acts; it may be repeated, by any master, at any time. */
export interface Duty {
  /** For the log. */
  readonly name: string;
  /** Milliseconds between two passes when nothing wakes it. */
  readonly everyMs: number;
  /** Milliseconds from the beginning of a pass to that of the next one at least, however often it is woken. Default 0. */
  readonly restMs?: number;
  /** One pass. Throwing is logged; the next pass repairs what was not done. */
  readonly pass: (signal: AbortSignal) => Promise<void>;
}

/** Repeats a duty until it is stopped; never two passes at the same time. */
export class ReconcileLoop {
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private woken = false;
  private loop: Promise<void> | undefined;
  private failures = 0;

  constructor(private readonly duty: Duty, private readonly clock: Clock, private readonly logger: Logger) {}

  start(): void {
    this.loop ??= this.run();
  }

  /** The next pass begins now, or as soon as the one at hand is over. */
  wake(): void {
    this.woken = true;
    this.nap.abort();
  }

  /** Lets the pass at hand finish. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.nap.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.woken = false;
      const began = this.clock.monotonic();
      await this.pass(signal);
      if (!this.woken && !signal.aborted) await this.sleep();
      const rest = (this.duty.restMs ?? 0) - (this.clock.monotonic() - began);
      if (rest > 0) await this.clock.sleep(rest, signal).catch(() => undefined);
    }
  }

  private async pass(signal: AbortSignal): Promise<void> {
    try {
      await this.duty.pass(signal);
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      if (signal.aborted) return;
      // A dependency that is down fails every pass: said once, then now and then.
      const fields = { duty: this.duty.name, failures: this.failures, error: messageOf(error), code: isAppError(error) ? error.code : 'internal' };
      if (this.failures === 1 || this.failures % 20 === 0) this.logger.warn('a duty could not be done; it is tried again', fields);
    }
  }

  private async sleep(): Promise<void> {
    this.nap = new AbortController();
    if (this.woken || this.stopping.signal.aborted) return;
    await this.clock.sleep(this.duty.everyMs, this.nap.signal).catch(() => undefined);
  }
}
