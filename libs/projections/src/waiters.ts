import { type Clock, calledOff } from '#kernel';

interface Waiter {
  readonly sequence: number;
  readonly wake: () => void;
}

/** Those who wait for a position, each with a limit. */
export interface Waiters {
  /** Resolves with true when the position reaches `sequence`, with false after `timeoutMs`. */
  add(sequence: number, timeoutMs: number): Promise<boolean>;
  /** Wakes all whose position is reached. */
  reached(position: number): void;
}

/** Nobody waits yet. */
export const waiters = (clock: Clock): Waiters => {
  let all: Waiter[] = [];
  return {
    add: (sequence, timeoutMs) => {
      const stop = new AbortController();
      return new Promise((resolve) => {
        const waiter: Waiter = { sequence, wake: () => { stop.abort(calledOff); resolve(true); } };
        all.push(waiter);
        clock.sleep(timeoutMs, stop.signal).then(() => {
          all = all.filter((other) => other !== waiter);
          resolve(false);
        }, () => undefined);
      });
    },
    reached: (position) => {
      const ready = all.filter((waiter) => waiter.sequence <= position);
      all = all.filter((waiter) => waiter.sequence > position);
      ready.forEach((waiter) => waiter.wake());
    },
  };
};
