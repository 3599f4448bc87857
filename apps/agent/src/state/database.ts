import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fault } from '#kernel';

/** Statement lists, one a schema version; a later version only ever appends a list. */
const versions: readonly string[] = [`
  create table meta (name text primary key, value text not null) strict;
  create table commands (
    run text not null, attempt integer not null, verb text not null, accepted_at integer not null,
    primary key (run, attempt, verb)
  ) strict;
  create table attempts (
    run text not null, attempt integer not null, verb text not null,
    status text not null, claim text, reason text,
    accepted_at integer not null, claimed_at integer, changed_at integer not null,
    primary key (run, attempt)
  ) strict;
  create index attempts_by_status on attempts (status);
  create table outbox (
    sequence integer primary key autoincrement,
    run text not null, attempt integer not null, claim text not null,
    message_id text not null unique, body text not null,
    status text not null, detail text, changed_at integer not null
  ) strict;
  create index outbox_by_status on outbox (status, sequence);
`, `
  create table orders (id text primary key, verb text not null, status text not null, accepted_at integer not null) strict;
`];

/** The agent's database: one writer, one process. */
export interface AgentDatabase {
  readonly sql: DatabaseSync;
  /** All of `work` or nothing of it, durable when it returns. */
  transaction<T>(work: () => T): T;
  close(): void;
}

const migrate = (sql: DatabaseSync, file: string): void => {
  const row = sql.prepare('pragma user_version').get() as { user_version: number };
  if (row.user_version > versions.length) {
    throw fault('refused', 'state-too-new', `${file} was written by a newer agent; run that version or newer`);
  }
  versions.slice(row.user_version).forEach((statements, i) => {
    sql.exec(`begin immediate; ${statements} pragma user_version = ${row.user_version + i + 1}; commit`);
  });
};

const transactionOn = (sql: DatabaseSync) => <T>(work: () => T): T => {
  if (sql.isTransaction) return work();
  sql.exec('begin immediate');
  try {
    const value = work();
    sql.exec('commit');
    return value;
  } catch (error) {
    if (sql.isTransaction) sql.exec('rollback');
    throw error;
  }
};

/**
 * Opens or makes the database. Every commit is on the disk before it returns (`synchronous = full`). Throws `state-in-use` when
 * another agent holds it and `state-too-new` when a newer version wrote it.
 */
export const openDatabase = (file: string): AgentDatabase => {
  const sql = new DatabaseSync(file, { timeout: 0 });
  try {
    // One process at a time: two agents on one state directory would work on every run twice.
    sql.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; begin immediate; commit');
  } catch (cause) {
    sql.close();
    throw fault('refused', 'state-in-use', `${file} cannot be opened for writing; is another agent running on this state directory?`, { cause });
  }
  chmodSync(file, 0o600);
  migrate(sql, file);
  return { sql, transaction: transactionOn(sql), close: () => sql.close() };
};
