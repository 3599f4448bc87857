import { type Clock, fault } from '#kernel';

const windowMs = 60_000;
/** Keys that are remembered; beyond, a new window begins for all. */
const mostKeys = 50_000;

/** Counts by key in windows of a minute; each master for itself. */
export class RateWindow {
  private counts = new Map<string, number>();
  private from = 0;

  /** @param said to whoever takes more than `limit` in a window. */
  constructor(private readonly clock: Clock, private readonly limit: number, private readonly said: string) {}

  /** Throws `too-many-requests` (429). */
  take(key: string): void {
    const now = this.clock.now();
    if (now - this.from >= windowMs || this.counts.size >= mostKeys) {
      this.counts = new Map();
      this.from = now;
    }
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    if (count > this.limit) throw fault('rate-limited', 'too-many-requests', this.said);
  }
}
