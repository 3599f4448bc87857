import { type Refusal, type Result, fault, ok } from '#kernel';
import type { UnitOfWork } from './command-handler.port.ts';
import type { Decider } from './decider.ts';
import type { Append, EventStore } from './event-store.port.ts';
import type { DomainEvent, LoadedAggregate, RecordedEvent } from './event.ts';
import type { Folded, StateCache } from './state-cache.ts';

/** An aggregate inside one unit of work. */
interface Entry {
  readonly decider: unknown;
  readonly id: string;
  readonly type: string;
  readonly base: Folded<unknown>;
  readonly staged: DomainEvent[];
  state: unknown;
  /** Puts what was appended into the cache. */
  keep(last: RecordedEvent): void;
}

/** A unit of work and what it has staged. */
export interface OpenUnit extends UnitOfWork {
  appends(): readonly Append[];
  /** After the append: keeps the new states for the next command. */
  keep(events: readonly RecordedEvent[]): void;
}

/** What a unit works on. */
export interface UnitParts {
  readonly store: EventStore;
  readonly cache: StateCache;
  /** The command at hand: a history that holds it already is seen as it was before it, so that it is decided as the first time. */
  readonly commandId: string;
}

const fold = <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, from: Folded<S>, loaded: LoadedAggregate): Folded<S> => {
  if (loaded.events.length === 0) return from;
  const events = loaded.events as readonly RecordedEvent<E>[];
  return {
    state: events.reduce((state, one) => decider.evolve(state, one.event), from.state),
    sequence: loaded.sequence,
    revision: loaded.revision,
    commands: new Set([...from.commands, ...events.map((one) => one.context.commandId)]),
  };
};

const before = (loaded: LoadedAggregate, commandId: string): LoadedAggregate => {
  const events = loaded.events.slice(0, loaded.events.findIndex((one) => one.context.commandId === commandId));
  const last = events.at(-1);
  return { events, sequence: last?.sequence ?? 0, revision: last?.revision ?? 0 };
};

/** The newest state, from the cache and what is newer than it; or the state before the command when it was decided already. */
const current = async <S, C, E extends DomainEvent>({ store, cache, commandId }: UnitParts, decider: Decider<S, C, E>, id: string): Promise<Folded<S>> => {
  const aggregate = { type: decider.aggregate, id };
  const initial: Folded<S> = { state: decider.initialState, sequence: 0, revision: 0, commands: new Set() };
  const known = cache.get(decider, id);
  const loaded = await store.load(aggregate, known);
  const folded = fold(decider, known ?? initial, loaded);
  if (folded.commands.has(commandId)) return fold(decider, initial, before(known ? await store.load(aggregate) : loaded, commandId));
  if (folded !== known && folded.sequence > 0) cache.put(decider, id, folded);
  return folded;
};

const openEntry = async <S, C, E extends DomainEvent>(parts: UnitParts, decider: Decider<S, C, E>, id: string): Promise<Entry> => {
  const base = await current(parts, decider, id);
  const entry: Entry = {
    decider, id, base, type: decider.aggregate, staged: [], state: base.state,
    keep: (last) => parts.cache.put(decider, id, {
      state: entry.state as S, sequence: last.sequence, revision: last.revision, commands: new Set([...base.commands, parts.commandId]),
    }),
  };
  return entry;
};

/** Opens a unit of work. */
export const unitOfWork = (parts: UnitParts): OpenUnit => {
  const entries = new Map<string, Promise<Entry>>();
  const opened: Entry[] = [];
  const entryOf = async <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string): Promise<Entry> => {
    const key = `${decider.aggregate}.${id}`;
    let opening = entries.get(key);
    if (!opening) {
      opening = openEntry(parts, decider, id);
      entries.set(key, opening);
      opened.push(await opening);
    }
    const entry = await opening;
    if (entry.decider !== decider) throw fault('internal', 'two-deciders', `One unit of work uses two deciders for ${key}`);
    return entry;
  };
  return {
    load: async <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string) => {
      const entry = await entryOf(decider, id);
      return { state: entry.state as S, revision: entry.base.revision + entry.staged.length };
    },
    decide: async <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string, command: C): Promise<Result<readonly E[], Refusal>> => {
      const entry = await entryOf(decider, id);
      const decided = decider.decide(command, entry.state as S);
      if (!decided.ok) return decided;
      entry.state = decided.value.reduce((state, event) => decider.evolve(state, event), entry.state as S);
      entry.staged.push(...decided.value);
      return ok(decided.value);
    },
    appends: () => opened.filter((entry) => entry.staged.length > 0).map(({ type, id, base, staged }) => ({
      aggregate: { type, id }, expectedSequence: base.sequence, expectedRevision: base.revision, events: staged,
    })),
    keep: (events) => {
      for (const entry of opened) {
        const last = events.findLast((one) => one.aggregate.id === entry.id && one.aggregate.type === entry.type);
        // When the command had been appended before, the log holds other objects, and perhaps other data: then forget what was staged.
        if (last && last.event === entry.staged.at(-1)) entry.keep(last);
      }
    },
  };
};
