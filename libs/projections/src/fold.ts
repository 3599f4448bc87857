import type { RecordedEvent } from '#event-store';
import { fault } from '#kernel';
import type { ReadModel } from './read-model.ts';
import { type Place, type Rows, selectRows, writeRows } from './rows.ts';
import type { ReadTable } from './read-table.ts';

/** An event that a model handles, with the keys of the rows that it touches. */
interface Touch {
  readonly event: RecordedEvent;
  readonly keys: readonly string[];
}

const failed = (model: ReadModel, event: RecordedEvent, cause: unknown): Error =>
  fault('internal', 'projection-failed', `The read model ${model.name} fails on event ${event.sequence} (${event.event.type})`, { cause });

const touchesOf = (model: ReadModel, events: readonly RecordedEvent[]): Touch[] => {
  const handled = new Set(model.handles);
  return events.filter((event) => handled.has(event.event.type)).map((event) => {
    try {
      return { event, keys: model.keys(event) };
    } catch (cause) {
      throw failed(model, event, cause);
    }
  });
};

/** Folds the touches into `rows`, event by event; the keys whose row changed. */
export const foldRows = (model: ReadModel, touches: readonly Touch[], rows: Rows): Set<string> => {
  const changed = new Set<string>();
  for (const { event, keys } of touches) {
    for (const key of keys) {
      const before = rows.get(key);
      let after: object | undefined;
      try {
        after = model.evolve(before, event, key);
      } catch (cause) {
        throw failed(model, event, cause);
      }
      if (after === before) continue;
      rows.set(key, after);
      changed.add(key);
    }
  }
  return changed;
};

/** Rows that are known already, by table: a rebuild keeps them from one batch to the next. */
export type KnownRows = Map<ReadTable, Rows>;

/**
 * Folds a batch of events into the tables: reads the touched rows that are not known, folds in memory, writes what changed with one
 * statement a table. In the caller's transaction.
 */
export const foldBatch = async (place: Place, tables: readonly ReadTable[], events: readonly RecordedEvent[], known: KnownRows): Promise<void> => {
  for (const table of tables) {
    const touches = touchesOf(table.model, events);
    if (touches.length === 0) continue;
    const { appends = false } = table.model;
    const rows: Rows = (appends ? undefined : known.get(table)) ?? new Map<string, object | undefined>();
    const wanted = appends ? new Set<string>() : new Set(touches.flatMap((touch) => touch.keys));
    await selectRows(place, table, [...wanted].filter((key) => !rows.has(key)), rows);
    const changed = foldRows(table.model, touches, rows);
    await writeRows(place, table, rows, changed);
  }
};
