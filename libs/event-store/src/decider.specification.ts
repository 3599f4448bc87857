import { expect } from 'vitest';
import type { Decider } from './decider.ts';
import type { DomainEvent } from './event.ts';

/** The outcome of a command in a specification. */
export interface Then<State, Event extends DomainEvent> {
  /** Exactly these events, in this order; none for a repeat. */
  then(...events: readonly Event[]): void;
  /** Refused with this code. */
  thenRefused(code: string): void;
  /** Folds the outcome and hands the state to the checks. */
  thenState(check: (state: State) => void): void;
}

/** What a specification says: given these events, when this command, then ... */
export interface Given<State, Command, Event extends DomainEvent> {
  when(command: Command): Then<State, Event>;
}

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
};

/** Speaks of a decider in events only. States and events are deeply frozen: a decider that mutates fails. */
export const deciderSpecification = <State, Command, Event extends DomainEvent>(decider: Decider<State, Command, Event>) => ({
  given: (...events: readonly Event[]): Given<State, Command, Event> => {
    const fold = (from: State, more: readonly Event[]): State => more.reduce((state, event) => freeze(decider.evolve(state, freeze(event))), freeze(from));
    const state = fold(decider.initialState, events);
    return {
      when: (command) => {
        const decided = freeze(decider.decide(freeze(command), state));
        return {
          then: (...expected) => expect(decided).toEqual({ ok: true, value: expected }),
          thenRefused: (code) => expect(decided).toMatchObject({ ok: false, error: { code } }),
          thenState: (check) => {
            if (!decided.ok) expect.fail(`refused: ${decided.error.code}`);
            else check(fold(state, decided.value));
          },
        };
      },
    };
  },
});
