import { type Clock } from '#kernel';

/** Milliseconds that a change waits for what is under way. */
const patienceMs = 3_000;
/** Messages that may wait; more are lost, as they are when the bus is away. */
const mostSaid = 4_096;

/**
 * Keeps what goes over a connection from falling into the gap when the connection is exchanged: what is under way may end first, and
 * what comes meanwhile waits. Outages are not its business.
 */
export class BusGate {
  private readonly clock: Clock;
  private readonly under = new Set<Promise<unknown>>();
  private readonly said: (() => void)[] = [];
  private closed: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Does something that waits for an answer; before or after a change, not across it. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.closed) await this.closed;
    const doing = work();
    this.under.add(doing);
    try {
      return await doing;
    } finally {
      this.under.delete(doing);
    }
  }

  /** Publishes something that nobody answers; in order. */
  say(work: () => void): void {
    if (!this.closed) work();
    else if (this.said.length < mostSaid) this.said.push(work);
  }

  /** Exchanges the connection. One at a time. */
  async during(change: () => Promise<void>): Promise<void> {
    while (this.closed) await this.closed;
    let open: () => void = () => undefined;
    this.closed = new Promise((resolve) => { open = resolve; });
    try {
      await this.settled();
      await change();
    } finally {
      this.closed = undefined;
      for (const work of this.said.splice(0)) work();
      open();
    }
  }

  private async settled(): Promise<void> {
    const patience = new AbortController();
    await Promise.race([Promise.allSettled(this.under), this.clock.sleep(patienceMs, patience.signal).catch(() => undefined)]);
    patience.abort();
  }
}
