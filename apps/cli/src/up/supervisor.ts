import { type Clock, type Logger, messageOf } from '#kernel';
import type { Child } from '#embedded';

/** One process of the stack: how to start it (again) and how it is asked to stop. */
export interface Part {
  readonly name: string;
  /** Resolves when the process is ready to serve; rejects with nothing left running, and when `signal` gives the start up. */
  start(signal: AbortSignal): Promise<Child>;
  /** Signal that asks it to end in order. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
}

const longestPauseMs = 10_000;
/** A process that ran this long is not in a crash loop; its pause starts small again. */
const healthyAfterMs = 30_000;

/** Starts parts in order, starts each again when it ends by itself, stops them in reverse order. */
export class Supervisor {
  private readonly children = new Map<string, Child>();
  private readonly started: Part[] = [];
  private readonly watches: Promise<void>[] = [];
  private readonly stopping = new AbortController();

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Starts a part and watches it from now on; throws when its first start fails. */
  async add(part: Part): Promise<void> {
    this.started.push(part);
    this.children.set(part.name, await part.start(this.stopping.signal));
    this.watches.push(this.watch(part));
  }

  /** Stops everything; resolves when no process is left. */
  async stop(): Promise<void> {
    // First, so that a part that cannot become ready without those that end now is not waited for.
    this.stopping.abort(new Error('The stack is stopping'));
    for (const part of [...this.started].reverse()) await this.children.get(part.name)?.stop(part.stopSignal ?? 'SIGTERM');
    await Promise.all(this.watches);
  }

  private async watch(part: Part): Promise<void> {
    let pauseMs = 250;
    for (;;) {
      const startedAt = this.clock.monotonic();
      const exit = await this.children.get(part.name)?.exited;
      if (this.stopping.signal.aborted) return;
      this.logger.warn(`${part.name} ended and is started again`, { ...exit });
      pauseMs = this.clock.monotonic() - startedAt > healthyAfterMs ? 250 : Math.min(pauseMs * 2, longestPauseMs);
      if (!(await this.restart(part, pauseMs))) return;
    }
  }

  private async restart(part: Part, firstPauseMs: number): Promise<boolean> {
    const { signal } = this.stopping;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await this.clock.sleep(pauseMs, signal);
        const child = await part.start(signal);
        this.children.set(part.name, child);
        // The stop may have come at the end of this start; then it did not see this child.
        if (signal.aborted) await child.stop(part.stopSignal);
        return !signal.aborted;
      } catch (error) {
        if (signal.aborted) return false;
        this.logger.error(`${part.name} could not be started again`, { error: messageOf(error) });
      }
    }
  }
}
