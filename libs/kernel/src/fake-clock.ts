import type { Clock } from './clock.ts';

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** A clock that only moves when a test moves it. Sleepers wake in the order in which they are due. */
export class FakeClock implements Clock {
  private sleepers: Sleeper[] = [];
  private elapsed = 0;
  private readonly start: number;

  /** @param start wall-clock time in milliseconds at which the clock stands. */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.start = start;
  }

  now(): number {
    return this.start + this.elapsed;
  }

  monotonic(): number {
    return this.elapsed;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const sleeper: Sleeper = { due: this.elapsed + ms, wake: resolve };
      this.sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      }, { once: true });
    });
  }

  /** How many are asleep now: a test waits for this before it moves the clock. */
  get sleeping(): number {
    return this.sleepers.length;
  }

  /** Moves the clock by `ms` milliseconds, waking sleepers one after the other and letting each run before the next. */
  async advance(ms: number): Promise<void> {
    const target = this.elapsed + ms;
    for (;;) {
      const next = this.sleepers.filter((s) => s.due <= target).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.sleepers = this.sleepers.filter((s) => s !== next);
      this.elapsed = Math.max(this.elapsed, next.due);
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.elapsed = target;
  }
}
