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
  /** Says that the id was made just now, so that nobody needs to ask the log for it. Where that is wrong the append finds out. */
  expectNew(decider: { readonly aggregate: string }, id: string): void;
  /** Runs a part of the work; when that refuses, what it staged is taken back and the rest stands. */
  attempt<T>(work: () => Promise<Result<T, Refusal>>): Promise<Result<T, Refusal>>;
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
  /**
   * `work` may run several times, the first time perhaps on states that are not the newest: it must do nothing but load and decide.
   * What comes out of it is as fresh as an append. An error value appends nothing.
   */
  execute<T>(context: EventContext, work: (unit: UnitOfWork) => Promise<Result<T, Refusal>>): Promise<Result<Decided<T>, Refusal>>;
}

/** A handler that remembers what it decided on. */
export interface RememberingCommandHandler extends CommandHandler {
  /** Tells it what the log holds now, in order, whoever appended it, so that it decides on newer states from the start. Optional. */
  observe(events: readonly RecordedEvent[]): void;
}
