import type { Clock } from '#kernel';

/** A bell: `wait` ends when it is rung or when time is up. A ring while nobody waits is kept for the next wait. */
export class Wakeup {
  private rung = false;
  private listener: (() => void) | undefined;

  signal(): void {
    this.rung = true;
    this.listener?.();
  }

  /** Rejects with the signal's reason when it is aborted. One waiter at a time. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.rung) {
      const pause = new AbortController();
      const bell = new Promise<void>((resolve) => { this.listener = resolve; });
      try {
        await Promise.race([bell, clock.sleep(ms, AbortSignal.any([signal, pause.signal]))]);
      } finally {
        this.listener = undefined;
        pause.abort();
      }
    }
    this.rung = false;
  }
}
