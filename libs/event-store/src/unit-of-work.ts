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
  /** False: nobody asked the log yet whether `base` is the newest. */
  readonly fresh: boolean;
  readonly staged: DomainEvent[];
  state: unknown;
  /** Puts what was appended into the cache. */
  keep(last: RecordedEvent): void;
}

/** A unit of work and what it has staged. */
export interface OpenUnit extends UnitOfWork {
  appends(): readonly Append[];
  /**
   * Asks the log whether the states that were taken as they were known are the newest. Those that are appended to need no asking, as
   * the append finds out, unless nothing will be appended (`refused`).
   */
  confirm(refused: boolean): Promise<boolean>;
  /** After the append: keeps the new states for the next command. */
  keep(events: readonly RecordedEvent[]): void;
}

/** What a unit works on. */
export interface UnitParts {
  readonly store: EventStore;
  readonly cache: StateCache;
  /** The command at hand: a history that holds it already is seen as it was before it, so that it is decided as the first time. */
  readonly commandId: string;
  /** Known states are used without asking the log for newer events; `confirm` asks afterwards. */
  readonly trusting: boolean;
}

const nothing = <S>(state: S): Folded<S> => ({ state, sequence: 0, revision: 0, commands: new Set() });

const fold = <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, from: Folded<S>, loaded: LoadedAggregate): Folded<S> => {
  if (loaded.events.length === 0) return from;
  const events = loaded.events as readonly RecordedEvent<E>[];
  for (const { context } of events) from.commands.add(context.commandId);
  return {
    state: events.reduce((state, one) => decider.evolve(state, one.event), from.state),
    sequence: loaded.sequence,
    revision: loaded.revision,
    commands: from.commands,
  };
};

const before = (loaded: LoadedAggregate, commandId: string): LoadedAggregate => {
  const events = loaded.events.slice(0, loaded.events.findIndex((one) => one.context.commandId === commandId));
  const last = events.at(-1);
  return { events, sequence: last?.sequence ?? 0, revision: last?.revision ?? 0 };
};

interface Current<S> {
  readonly base: Folded<S>;
  readonly fresh: boolean;
}

/** The newest state, from the cache and what is newer than it; or the state before the command when it was decided already. */
const current = async <S, C, E extends DomainEvent>(parts: UnitParts, decider: Decider<S, C, E>, id: string): Promise<Current<S>> => {
  const { store, cache, commandId, trusting } = parts;
  const aggregate = { type: decider.aggregate, id };
  const known = cache.get(decider, id);
  if (trusting && known && !known.commands.has(commandId)) return { base: known, fresh: false };
  const loaded = await store.load(aggregate, known);
  const folded = fold(decider, known ?? nothing(decider.initialState), loaded);
  if (folded.commands.has(commandId)) {
    return { base: fold(decider, nothing(decider.initialState), before(known ? await store.load(aggregate) : loaded, commandId)), fresh: true };
  }
  if (folded !== known && folded.sequence > 0) cache.put(decider, id, folded);
  return { base: folded, fresh: true };
};

const openEntry = <S, C, E extends DomainEvent>({ cache, commandId }: UnitParts, decider: Decider<S, C, E>, id: string, { base, fresh }: Current<S>): Entry => {
  const entry: Entry = {
    decider, id, base, fresh, type: decider.aggregate, staged: [], state: base.state,
    keep: (last) => cache.put(decider, id, {
      state: entry.state as S, sequence: last.sequence, revision: last.revision, commands: base.commands.add(commandId),
    }),
  };
  return entry;
};

/** Remembers what is staged; what it answers takes back what was staged since. */
const markOf = (opened: readonly Entry[]): (() => void) => {
  const marks = new Map(opened.map((entry) => [entry, { state: entry.state, staged: entry.staged.length }]));
  return () => {
    for (const entry of opened) {
      const { state, staged } = marks.get(entry) ?? { state: entry.base.state, staged: 0 };
      entry.state = state;
      entry.staged.length = staged;
    }
  };
};

/** Opens a unit of work. */
export const unitOfWork = (parts: UnitParts): OpenUnit => {
  const entries = new Map<string, Promise<Entry>>();
  const expectedNew = new Set<string>();
  const opened: Entry[] = [];
  const open = async <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string, key: string): Promise<Entry> => {
    const isNew = parts.trusting && expectedNew.has(key);
    const entry = openEntry(parts, decider, id, isNew ? { base: nothing(decider.initialState), fresh: false } : await current(parts, decider, id));
    opened.push(entry);
    return entry;
  };
  const entryOf = async <S, C, E extends DomainEvent>(decider: Decider<S, C, E>, id: string): Promise<Entry> => {
    const key = `${decider.aggregate}.${id}`;
    let opening = entries.get(key);
    if (!opening) {
      opening = open(decider, id, key);
      entries.set(key, opening);
    }
    const entry = await opening;
    if (entry.decider !== decider) throw fault('internal', 'two-deciders', `One unit of work uses two deciders for ${key}`);
    return entry;
  };
  return {
    expectNew: ({ aggregate }, id) => void expectedNew.add(`${aggregate}.${id}`),
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
    attempt: async (work) => {
      const takeBack = markOf(opened);
      const done = await work();
      if (!done.ok) takeBack();
      return done;
    },
    confirm: async (refused) => {
      const doubtful = opened.filter((entry) => !entry.fresh && (refused || entry.staged.length === 0));
      const newer = await Promise.all(doubtful.map(({ type, id, base }) => parts.store.load({ type, id }, base)));
      return newer.every(({ events }) => events.length === 0);
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
