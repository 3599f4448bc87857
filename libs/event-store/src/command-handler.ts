import { type Clock, type Refusal, type Result, hasCode, ok } from '#kernel';
import type { CommandHandler, Decided, UnitOfWork } from './command-handler.port.ts';
import type { Append, EventStore } from './event-store.port.ts';
import type { EventContext, RecordedEvent } from './event.ts';
import { lineUp } from './line-up.ts';
import { stateCache } from './state-cache.ts';
import { unitOfWork } from './unit-of-work.ts';

/** What a handler may be given. */
export interface CommandHandlerOptions {
  /** How often a command is decided at most before `version-conflict` is thrown. Default 12. */
  readonly attempts?: number;
  /** How many folded aggregates are kept. Default 2,000. */
  readonly cached?: number;
  /** A number from 0 up to 1 for the jitter of pauses. */
  readonly random?: () => number;
}

const firstPauseMs = 1;
const longestPauseMs = 100;

const subjectsOf = (appends: readonly Append[]): string[] => appends.map(({ aggregate }) => `${aggregate.type}.${aggregate.id}`);

/**
 * The command handler of a store. Commands run side by side; those that lost against each other in this process line up for the
 * aggregates they fought for, so that a hot aggregate costs one wasted attempt and not many. Only `version-conflict` is tried again.
 */
export const commandHandler = (store: EventStore, clock: Clock, options: CommandHandlerOptions = {}): CommandHandler => {
  const { attempts = 12, random = Math.random } = options;
  const cache = stateCache(options.cached);
  const inLine = lineUp();

  type Tried<T> = { readonly result: Result<Decided<T>, Refusal> } | { readonly lost: unknown; readonly subjects: readonly string[] };
  const once = async <T>(context: EventContext, work: (unit: UnitOfWork) => Promise<Result<T, Refusal>>): Promise<Tried<T>> => {
    const unit = unitOfWork({ store, cache, commandId: context.commandId });
    const worked = await work(unit);
    if (!worked.ok) return { result: worked };
    const appends = unit.appends();
    let events: readonly RecordedEvent[];
    try {
      events = appends.length === 0 ? [] : await store.append(appends, context);
    } catch (error) {
      if (hasCode(error, 'version-conflict')) return { lost: error, subjects: subjectsOf(appends) };
      throw error;
    }
    unit.keep(events);
    return { result: ok({ value: worked.value, events, sequence: events.at(-1)?.sequence ?? 0 }) };
  };

  return {
    execute: async (context, work) => {
      let subjects: readonly string[] = [];
      for (let attempt = 1; ; attempt++) {
        const tried = await (subjects.length === 0 ? once(context, work) : inLine(subjects, () => once(context, work)));
        if ('result' in tried) return tried.result;
        if (attempt >= attempts) throw tried.lost;
        subjects = tried.subjects;
        const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
        if (attempt > 1) await clock.sleep(pause * (0.5 + random() / 2));
      }
    },
  };
};
