import type { AggregateRef, DomainEvent, EventContext, LoadedAggregate, LogPosition, RecordedEvent } from './event.ts';

/** New events of one aggregate. */
export interface Append {
  readonly aggregate: AggregateRef;
  /** `LoadedAggregate.sequence` at the time of the decision; 0: must not exist yet. */
  readonly expectedSequence: number;
  /** `LoadedAggregate.revision` at the time of the decision. */
  readonly expectedRevision: number;
  readonly events: readonly DomainEvent[];
}

/** The log. Only masters hold one that can append. */
export interface EventStore {
  /**
   * All events of an aggregate, or those after a position of it, as fresh as an append: archive first, then the tail of the stream.
   * `sequence` and `revision` are those of its last event in either case; without events when it does not exist.
   */
  load(aggregate: AggregateRef, after?: LogPosition): Promise<LoadedAggregate>;
  /**
   * Appends all or nothing, each aggregate with its own expectation. Appending the same command again is success with the
   * events of the first time. Throws `version-conflict` (decide again), `log-diverged` (fenced until an operator acts),
   * or another retryable `unavailable` error. Event ids are derived from `context.commandId` and the position in the batch.
   */
  append(appends: readonly Append[], context: EventContext): Promise<readonly RecordedEvent[]>;
}
