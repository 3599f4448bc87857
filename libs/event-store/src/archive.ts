import type { Pool } from 'pg';
import { type AppError, fault } from '#kernel';
import { partitionSize, partitionSql } from './archive-schema.ts';
import { type StoredEvent, header } from './codec.ts';
import type { AggregateRef } from './event.ts';
import { aggregateOf, subjectOf } from './subject.ts';

/** What runs a statement: a `pg.Pool`, or a client of it. Whoever makes it sets its timeouts. */
export type Sql = Pick<Pool, 'query'>;

/** How far the archive is. */
export interface Checkpoint {
  /** Sequence of its last event; 0 when it is empty. */
  readonly sequence: number;
  /** Creation time of the stream it was copied from; undefined before the first copy. */
  readonly created: string | undefined;
}

interface Row {
  readonly sequence: string;
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly headers: string;
  readonly data: string;
}

const columns = 'sequence, aggregate_type, aggregate_id, headers::text as headers, data::text as data';

const storedOf = (row: Row): StoredEvent => ({
  sequence: Number(row.sequence),
  subject: subjectOf({ type: row.aggregate_type, id: row.aggregate_id }),
  headers: JSON.parse(row.headers) as Record<string, string>,
  data: row.data,
});

/** Postgres does not answer, or refused: the same call may succeed later. */
export const archiveUnavailable = (cause: unknown): AppError =>
  fault('unavailable', 'archive-unavailable', 'The database does not answer now; try again in a moment', { cause });

const rowsOf = async <R>(sql: Sql, text: string, values: unknown[]): Promise<R[]> => {
  try {
    return (await sql.query(text, values)).rows as R[];
  } catch (cause) {
    throw archiveUnavailable(cause);
  }
};

/** The checkpoint; with `lock` it stays locked until the transaction ends. */
export const readCheckpoint = async (sql: Sql, lock = false): Promise<Checkpoint> => {
  const [row] = await rowsOf<{ sequence: string; stream_created: string | null }>(
    sql, `select sequence, stream_created from archive.checkpoint where id = 'events' ${lock ? 'for update' : ''}`, []);
  if (!row) throw fault('internal', 'no-checkpoint', 'The archive has no checkpoint; run the migrations');
  return { sequence: Number(row.sequence), created: row.stream_created ?? undefined };
};

/** Up to `limit` events with `after < sequence <= until`, in order. */
export const readArchive = async (sql: Sql, range: { after: number; until: number; limit: number }): Promise<StoredEvent[]> => {
  const rows = await rowsOf<Row>(
    sql, `select ${columns} from archive.events where sequence > $1 and sequence <= $2 order by sequence limit $3`, [range.after, range.until, range.limit]);
  return rows.map(storedOf);
};

/** What to read of one aggregate. */
export interface AggregateRange {
  readonly aggregate: AggregateRef;
  /** Events after this sequence. */
  readonly after: number;
}

/** The events of several aggregates, in order; one statement for all of them. */
export const readAggregates = async (sql: Sql, ranges: readonly AggregateRange[]): Promise<StoredEvent[][]> => {
  const rows = await rowsOf<Row & { place: string }>(sql,
    `select wanted.place, ${columns} from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality wanted(type, id, after, place)
     cross join lateral (
       select * from archive.events e where e.aggregate_id = wanted.id and e.aggregate_type = wanted.type and e.sequence > wanted.after
     ) events order by sequence`,
    [ranges.map((r) => r.aggregate.type), ranges.map((r) => r.aggregate.id), ranges.map((r) => r.after)]);
  const found: StoredEvent[][] = ranges.map(() => []);
  for (const row of rows) found[Number(row.place) - 1]?.push(storedOf(row));
  return found;
};

/** Makes the partitions that the events of these sequences go into. The first one came with the schema. */
const ensurePartitions = async (sql: Sql, first: number, last: number): Promise<void> => {
  for (let number = Math.floor(first / partitionSize); number <= Math.floor(last / partitionSize); number++) {
    if (number === 0) continue;
    const found = await sql.query<{ missing: boolean }>('select to_regclass($1) is null as missing', [`archive.events_${number}`]);
    if (found.rows[0]?.missing) await sql.query(partitionSql(number));
  }
};

/** Where a copy came from, and who is told of it. */
export interface CopyOrigin {
  /** Creation time of the stream. */
  readonly created: string;
  /** Postgres channel that is told the new checkpoint at the commit. */
  readonly channel: string;
}

/**
 * Adds events, in order, and moves the checkpoint to the last one; events that are there already stay. In the caller's transaction,
 * with the checkpoint locked. One statement, planned once a session: every batch is a handful of round trips.
 */
export const copyToArchive = async (sql: Sql, events: readonly [StoredEvent, ...StoredEvent[]], { created, channel }: CopyOrigin): Promise<void> => {
  const last = events.at(-1) ?? events[0];
  await ensurePartitions(sql, events[0].sequence, last.sequence);
  const refs = events.map((event) => aggregateOf(event.subject));
  const column = (name: string): string[] => events.map((event) => event.headers[name] ?? '');
  await sql.query({
    name: 'copy to archive',
    text: `with copied as (
       insert into archive.events (sequence, aggregate_type, aggregate_id, revision, type, version, time, headers, data)
       select * from unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::text[], $6::smallint[], $7::timestamptz[], $8::json[], $9::json[])
       on conflict (sequence) do nothing
     ), moved as (
       update archive.checkpoint set sequence = $10::bigint, stream_created = $11 where id = 'events'
     ) select pg_notify($12, $10::bigint::text)`,
    values: [
      events.map((event) => event.sequence), refs.map((ref) => ref?.type), refs.map((ref) => ref?.id), column(header.revision), column(header.type),
      column(header.version), column(header.time), events.map((event) => JSON.stringify(event.headers)), events.map((event) => event.data),
      last.sequence, created, channel,
    ],
  });
};

/** Moves the checkpoint. Only inside the transaction that wrote what it stands for, with the row locked. */
export const writeCheckpoint = async (sql: Sql, { sequence, created }: Checkpoint): Promise<void> => {
  await sql.query("update archive.checkpoint set sequence = $1, stream_created = $2 where id = 'events'", [sequence, created ?? null]);
};
