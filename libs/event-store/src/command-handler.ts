import { type Clock, type Refusal, type Result, hasCode, ok } from '#kernel';
import type { Decided, RememberingCommandHandler, UnitOfWork } from './command-handler.port.ts';
import type { Append, EventStore } from './event-store.port.ts';
import type { EventContext, RecordedEvent } from './event.ts';
import { lineUp } from './line-up.ts';
import { stateCache } from './state-cache.ts';
import { type OpenUnit, unitOfWork } from './unit-of-work.ts';

/** What a handler may be given. */
export interface CommandHandlerOptions {
  /** How often a command is decided at most before `version-conflict` is thrown. Default 12. */
  readonly attempts?: number;
  /** How many folded aggregates are kept. Default 5,000. */
  readonly cached?: number;
  /** A number from 0 up to 1 for the jitter of pauses. */
  readonly random?: () => number;
}

const firstPauseMs = 1;
const longestPauseMs = 100;

const subjectsOf = (appends: readonly Append[]): string[] => appends.map(({ aggregate }) => `${aggregate.type}.${aggregate.id}`);

type Work<T> = (unit: UnitOfWork) => Promise<Result<T, Refusal>>;

/** Errors of an append that was decided on an old state. */
const isLost = (error: unknown, trusting: boolean): boolean =>
  hasCode(error, 'version-conflict') || (trusting && hasCode(error, 'batch-torn'));

/** What the work says, unless an old state made it say so: then undefined. */
const proven = async <T>(unit: OpenUnit, work: Work<T>): Promise<Result<T, Refusal> | undefined> => {
  let worked: Result<T, Refusal>;
  try {
    worked = await work(unit);
  } catch (error) {
    if (await unit.confirm(true)) throw error;
    return undefined;
  }
  return (await unit.confirm(!worked.ok)) ? worked : undefined;
};

/**
 * The command handler of a store. Commands run side by side. A command is first decided on the states that are known here, and counts
 * when the append, or the log where nothing is appended, says that they are the newest; otherwise it is decided again on states that
 * were asked for. Those that lost against each other in this process line up for the aggregates they fought for, so that a hot
 * aggregate costs one wasted attempt and not many.
 */
export const commandHandler = (store: EventStore, clock: Clock, options: CommandHandlerOptions = {}): RememberingCommandHandler => {
  const { attempts = 12, random = Math.random } = options;
  const cache = stateCache(options.cached);
  const inLine = lineUp();

  type Tried<T> = { readonly result: Result<Decided<T>, Refusal> } | { readonly lost: unknown; readonly subjects: readonly string[] };
  const once = async <T>(context: EventContext, work: Work<T>, trusting: boolean): Promise<Tried<T> | undefined> => {
    const unit = unitOfWork({ store, cache, commandId: context.commandId, trusting });
    const worked = await proven(unit, work);
    if (!worked?.ok) return worked && { result: worked };
    const appends = unit.appends();
    let events: readonly RecordedEvent[];
    try {
      events = appends.length === 0 ? [] : await store.append(appends, context);
    } catch (error) {
      if (isLost(error, trusting)) return { lost: error, subjects: subjectsOf(appends) };
      throw error;
    }
    unit.keep(events);
    return { result: ok({ value: worked.value, events, sequence: events.at(-1)?.sequence ?? 0 }) };
  };

  return {
    observe: (events) => events.forEach((event) => cache.observe(event)),
    execute: async (context, work) => {
      let subjects: readonly string[] = [];
      for (let attempt = 1, trusting = true; ; trusting = false) {
        const tried = await (subjects.length === 0 ? once(context, work, trusting) : inLine(subjects, () => once(context, work, trusting)));
        if (!tried) continue;
        if ('result' in tried) return tried.result;
        if (attempt >= attempts) throw tried.lost;
        subjects = tried.subjects;
        const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
        if (attempt > 1) await clock.sleep(pause * (0.5 + random() / 2));
        attempt++;
      }
    },
  };
};
