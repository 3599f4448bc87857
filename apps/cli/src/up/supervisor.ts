import { type Clock, type Logger, messageOf } from '#kernel';
import type { Child } from '#embedded';

/** One process of the stack: how to start it (again) and how it is asked to stop. */
export interface Part {
  readonly name: string;
  /** Resolves when the process is ready to serve. */
  start(): Promise<Child>;
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
  private stopping = false;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Starts a part and watches it from now on; throws when its first start fails. */
  async add(part: Part): Promise<void> {
    this.started.push(part);
    this.children.set(part.name, await part.start());
    this.watches.push(this.watch(part));
  }

  /** Stops everything; resolves when no process is left. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const part of [...this.started].reverse()) await this.children.get(part.name)?.stop(part.stopSignal ?? 'SIGTERM');
    await Promise.all(this.watches);
  }

  private async watch(part: Part): Promise<void> {
    let pauseMs = 250;
    for (;;) {
      const startedAt = this.clock.monotonic();
      const exit = await this.children.get(part.name)?.exited;
      if (this.stopping) return;
      this.logger.warn(`${part.name} ended and is started again`, { ...exit });
      pauseMs = this.clock.monotonic() - startedAt > healthyAfterMs ? 250 : Math.min(pauseMs * 2, longestPauseMs);
      if (!(await this.restart(part, pauseMs))) return;
    }
  }

  private async restart(part: Part, firstPauseMs: number): Promise<boolean> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      await this.clock.sleep(pauseMs);
      if (this.stopping) return false;
      try {
        const child = await part.start();
        this.children.set(part.name, child);
        // The stop may have come while this start was under way; then it did not see this child.
        if (this.isStopping()) await child.stop(part.stopSignal);
        return !this.isStopping();
      } catch (error) {
        this.logger.error(`${part.name} could not be started again`, { error: messageOf(error) });
      }
    }
  }

  private isStopping(): boolean {
    return this.stopping;
  }
}
