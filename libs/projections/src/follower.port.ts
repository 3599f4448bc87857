import type { RecordedEvent } from '#event-store';

/** Gets committed events in the order of the log: their rows are visible to queries already. Must be quick; throwing is logged only. */
export type EventsListener = (events: readonly RecordedEvent[]) => void;

/** How far the read models are behind the log. */
export interface Lag {
  /** Sequence of the last event in the log. */
  readonly last: number;
  /** Sequence of the last event that is projected. */
  readonly projected: number;
  /** Events that are not projected yet. */
  readonly events: number;
}

/** What a follower is doing: projecting, waiting for the master that does, without a database or log, or stopped by a named fault. */
export type FollowerStatus =
  | { readonly state: 'starting' | 'projecting' | 'waiting' | 'stopped' }
  | { readonly state: 'failing' | 'halted'; readonly code: string; readonly detail: string };

/**
 * Keeps the archive and the read models up with the log. Every master has one; one of them projects at a time (a lock in Postgres),
 * the others learn of its progress and take over when it ends.
 */
export interface Follower {
  /** Sequence up to which everything is projected, as far as this master knows; never goes back. */
  readonly position: number;
  readonly status: FollowerStatus;
  /** Begins to follow; resolves when the position is known and the first attempt to take the lock was made. */
  start(): Promise<void>;
  /** Ends after the batch at hand; gives the lock back. */
  stop(): Promise<void>;
  /** Resolves with true as soon as everything up to `sequence` is projected, by whichever master; with false after `timeoutMs`. */
  waitFor(sequence: number, timeoutMs: number): Promise<boolean>;
  /** Calls `listener` with each batch committed from now on, on every master. Returns what ends it. */
  onEvents(listener: EventsListener): () => void;
  /** Asks log for its end. Rejects with `log-unavailable` when it does not answer. */
  lag(): Promise<Lag>;
}
