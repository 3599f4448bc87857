import type { DomainEvent, RecordedEvent } from '#event-store';
import { foldRows } from './fold.ts';
import type { ReadModel } from './read-model.ts';

/** An event of a specification, with what matters of its record. */
export interface GivenEvent<Event extends DomainEvent> {
  readonly aggregate: { readonly type: string; readonly id: string };
  readonly event: Event;
  /** RFC 3339; default 2026-01-01T00:00:00.000Z. */
  readonly time?: string;
  readonly actor?: string;
}

const recorded = <Event extends DomainEvent>(given: GivenEvent<Event>, sequence: number, revision: number): RecordedEvent<Event> => ({
  sequence, revision, id: `event-${sequence}`, aggregate: given.aggregate, event: given.event,
  context: { time: given.time ?? '2026-01-01T00:00:00.000Z', actor: given.actor ?? 'user:test', commandId: `cmd-${sequence}` },
});

/**
 * Folds events as the follower does and answers the rows by key. Rows and events are frozen, so an `evolve` that mutates fails;
 * sequences count from 1, revisions inside each aggregate.
 */
export const projectionSpecification = <Row extends object, Event extends DomainEvent>(model: ReadModel<Row, Event>) => ({
  given: (...events: readonly GivenEvent<Event>[]): ReadonlyMap<string, Row> => {
    const revisions = new Map<string, number>();
    const rows = new Map<string, object | undefined>();
    events.forEach((given, index) => {
      const aggregate = `${given.aggregate.type}.${given.aggregate.id}`;
      const revision = (revisions.get(aggregate) ?? 0) + 1;
      revisions.set(aggregate, revision);
      const event = recorded(given, index + 1, revision);
      if (!model.handles.includes(event.event.type)) return;
      foldRows(model, [{ event, keys: model.keys(event) }], rows);
      for (const row of rows.values()) if (row) Object.freeze(row);
    });
    return new Map([...rows].filter((entry): entry is [string, Row] => entry[1] !== undefined));
  },
});
