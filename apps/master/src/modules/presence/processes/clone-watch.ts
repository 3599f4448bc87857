import type { Heartbeat } from '#contracts';

/** A second process that speaks with the same state directory while the first one still does. */
export interface Clone {
  /** The younger of the two. */
  readonly process: string;
  readonly hostname: string;
}

/** Starts of an agent that are remembered: further ones push out the oldest. */
const mostStarts = 16;
/** State directories that are remembered; beyond, it begins anew: somebody with one node's credential may make up as many as they like. */
const mostDirectories = 100_000;

/**
 * Notices copies of a state directory, byte for byte, that run at the same time. Both carry the same instance, so only the order tells: an agent
 * that was started again is heard of under a new process and never again under the former one; two that live are heard of in turns.
 * Kept in memory, by each master for itself: two intervals of the heartbeat after its own start it knows.
 */
export class CloneWatch {
  private readonly seen = new Map<string, { readonly starts: Clone[]; current: string }>();

  /** Takes heartbeats in the order of their arrival. The younger of two processes that are heard of in turns; undefined as long as there is one. */
  saw({ key, instance, process, hostname }: Pick<Heartbeat, 'key' | 'instance' | 'process' | 'hostname'>): Clone | undefined {
    if (process === undefined) return undefined;
    const name = `${key} ${instance}`;
    if (this.seen.size >= mostDirectories) this.seen.clear();
    const known = this.seen.get(name) ?? { starts: [], current: process };
    this.seen.set(name, known);
    const { starts, current } = known;
    known.current = process;
    const [mine, before] = [process, current].map((one) => starts.findIndex((start) => start.process === one));
    if (mine === undefined || before === undefined || mine < 0) {
      starts.push({ process, hostname });
      if (starts.length > mostStarts) starts.shift();
      return undefined;
    }
    return mine === before ? undefined : starts[Math.max(mine, before)];
  }
}
