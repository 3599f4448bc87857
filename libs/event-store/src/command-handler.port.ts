import type { Refusal, Result } from '#kernel';
import type { Decider } from './decider.ts';
import type { DomainEvent, EventContext, RecordedEvent } from './event.ts';

/**
 * One decision over one or several aggregates: each is loaded once, each `decide` stages its events and sees those staged
 * before, and everything staged is appended as one batch when the work returns a success.
 */
export interface UnitOfWork {
  /** The state now (with what this unit staged) and its revision; revision 0: it does not exist. */
  load<S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string): Promise<{ readonly state: S; readonly revision: number }>;
  /** Loads, decides, stages. A refusal is returned, stages nothing, and does not end the unit by itself. */
  decide<S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string, command: C): Promise<Result<readonly E[], Refusal>>;
}

/** What a successful command did. */
export interface Decided<T> {
  readonly value: T;
  /** Empty when there was nothing to do. */
  readonly events: readonly RecordedEvent[];
  /** Position of the last appended event, for reading one's own write; 0 when nothing was appended. */
  readonly sequence: number;
}

/** Load, decide, append; again from the start after a version conflict, and only then. */
export interface CommandHandler {
  /** `work` may run several times: it must do nothing but load and decide. An error value appends nothing. */
  execute<T>(context: EventContext, work: (unit: UnitOfWork) => Promise<Result<T, Refusal>>): Promise<Result<Decided<T>, Refusal>>;
}
