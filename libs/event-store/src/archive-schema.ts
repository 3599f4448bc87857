/** Rows of a partition of the archive. */
export const partitionSize = 10_000_000;

/** Makes partition `number` of the archive: its sequences begin at `number * partitionSize`. */
export const partitionSql = (number: number): string =>
  `create table archive.events_${number} partition of archive.events
   for values from (${number * partitionSize}) to (${(number + 1) * partitionSize})`;

/**
 * The schema `archive`: the ordered copy of EVENTS, and the one checkpoint, whose row lock serializes everybody who projects.
 * `headers` and `data` are the event letter for letter (`json`, not `jsonb`), so that the log can be written again from them.
 */
export const archiveUp: readonly string[] = [
  'create schema archive',
  `create table archive.events (
    sequence bigint primary key,
    aggregate_type text not null,
    aggregate_id text not null,
    revision integer not null,
    type text not null,
    version smallint not null,
    time timestamptz not null,
    headers json not null,
    data json not null
  ) partition by range (sequence)`,
  'create index events_aggregate on archive.events (aggregate_id, aggregate_type, sequence)',
  partitionSql(0),
  `create table archive.checkpoint (
    id text primary key check (id = 'events'),
    sequence bigint not null,
    stream_created text
  )`,
  "insert into archive.checkpoint values ('events', 0, null)",
  'create table archive.read_models (name text primary key, version integer not null)',
];

/** Takes the schema away, with the second copy of the log in it. */
export const archiveDown: readonly string[] = ['drop schema archive cascade'];
