import type { DomainEvent, RecordedEvent } from '#event-store';

/**
 * A table that is a pure function of the events: one row a key, folded event by event in the order of the log. It may be dropped
 * and rebuilt into equal rows at any time.
 *
 * `Row` is a TypeORM entity of the schema `read` with exactly one primary column. Columns may be text, integer, bigint (a number
 * here), double precision, boolean, timestamptz (a `Date` here), json, jsonb or arrays of these; rows are complete (a property left
 * out is NULL: column defaults do not apply). No `now()`, no identity columns, no random ids: everything comes from the event.
 */
export interface ReadModel<Row extends object = object, Event extends DomainEvent = DomainEvent> {
  /** Stable name, kebab-case. */
  readonly name: string;
  /** Raised whenever `keys`, `evolve` or the table changes its meaning: the rows are then rebuilt at the next start. Default 1. */
  readonly version?: number;
  /** The entity that declares the table. */
  readonly entity: new () => Row;
  /** Every event makes rows of its own, whatever was there: they are not looked up first. */
  readonly appends?: true;
  /** The event types that it reads; others never reach it. */
  readonly handles: readonly Event['type'][];
  /** Primary keys (as text) of the rows that the event touches; none: the event does not matter here after all. */
  keys(event: RecordedEvent<Event>): readonly string[];
  /** The row `key` after the event; undefined deletes it, or leaves it absent. Never mutates `row`. */
  evolve(row: Row | undefined, event: RecordedEvent<Event>, key: string): Row | undefined;
}

/** Declares a read model with its types inferred; for use as `const nodes = readModel<NodeRow, NodeEvent>({ ... })`. */
export const readModel = <Row extends object, Event extends DomainEvent>(model: ReadModel<Row, Event>): ReadModel<Row, Event> => model;
