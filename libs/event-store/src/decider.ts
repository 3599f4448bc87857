import type { Refusal, Result } from '#kernel';
import type { DomainEvent } from './event.ts';

/**
 * The pure core of an aggregate. `decide` and `evolve` are total: no clock, no ids, no I/O; time and new ids arrive in the
 * command; state is never mutated. `decide` may return no events for a repeat.
 */
export interface Decider<State, Command, Event extends DomainEvent> {
  /** First part of the subject after `hf.events.`. */
  readonly aggregate: string;
  readonly initialState: State;
  decide(command: Command, state: State): Result<readonly Event[], Refusal>;
  evolve(state: State, event: Event): State;
}
