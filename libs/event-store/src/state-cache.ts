import type { Decider } from './decider.ts';
import type { DomainEvent, LogPosition, RecordedEvent } from './event.ts';

/** An aggregate folded up to a position. */
export interface Folded<S> extends LogPosition {
  readonly state: S;
  /**
   * Ids of all commands in its history. The later states of one aggregate share and extend it, as copies would cost more with every
   * event: it may name commands that came after this state, and never one that is not in the log.
   */
  readonly commands: Set<string>;
}

/** Folded states of the aggregates used last, so that a long history is read and folded once. Perhaps not the newest. */
export interface StateCache {
  get<S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string): Folded<S> | undefined;
  /** Keeps the state unless a newer one is kept. */
  put<S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string, folded: Folded<S>): void;
  /** Brings what is kept up to an event of the log that comes next for it; others are passed over. */
  observe(recorded: RecordedEvent): void;
}

interface Kept {
  readonly decider: unknown;
  readonly folded: Folded<unknown>;
  readonly evolve: (state: unknown, event: DomainEvent) => unknown;
}

/** A cache of at most `most` states; the one unused for longest goes first. */
export const stateCache = (most = 5_000): StateCache => {
  const entries = new Map<string, Kept>();
  const keyOf = (type: string, id: string): string => `${type}.${id}`;
  return {
    get: <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string) => {
      const key = keyOf(decider.aggregate, id);
      const entry = entries.get(key);
      if (entry?.decider !== decider) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.folded as Folded<S>;
    },
    put: <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string, folded: Folded<S>) => {
      const key = keyOf(decider.aggregate, id);
      const entry = entries.get(key);
      if (entry?.decider === decider && entry.folded.sequence > folded.sequence) return;
      entries.delete(key);
      entries.set(key, { decider, folded, evolve: (state, event) => decider.evolve(state as S, event as E) });
      if (entries.size <= most) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
    observe: ({ aggregate, event, sequence, revision, context }) => {
      const key = keyOf(aggregate.type, aggregate.id);
      const entry = entries.get(key);
      if (entry?.folded.revision !== revision - 1) return;
      const { state, commands } = entry.folded;
      entries.set(key, { ...entry, folded: { state: entry.evolve(state, event), sequence, revision, commands: commands.add(context.commandId) } });
    },
  };
};
