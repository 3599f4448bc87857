import type { Decider } from './decider.ts';
import type { DomainEvent, LogPosition } from './event.ts';

/** An aggregate folded up to a position. */
export interface Folded<S> extends LogPosition {
  readonly state: S;
  /** Ids of all commands in its history. */
  readonly commands: ReadonlySet<string>;
}

/** Folded states of the aggregates used last, so that a long history is read and folded once. Never trusted to be the newest. */
export interface StateCache {
  get<S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string): Folded<S> | undefined;
  /** Keeps the state unless a newer one is kept. */
  put<S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string, folded: Folded<S>): void;
}

/** A cache of at most `most` states; the one unused for longest goes first. */
export const stateCache = (most = 2_000): StateCache => {
  const entries = new Map<string, { readonly decider: unknown; readonly folded: Folded<unknown> }>();
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
    put: (decider, id, folded) => {
      const key = keyOf(decider.aggregate, id);
      const entry = entries.get(key);
      if (entry?.decider === decider && entry.folded.sequence > folded.sequence) return;
      entries.delete(key);
      entries.set(key, { decider, folded });
      if (entries.size <= most) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
  };
};
