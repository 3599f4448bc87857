import type { ClientBase } from 'pg';
import { type RecordedEvent, type StoredEvent, insertArchive, readCheckpoint, writeCheckpoint } from '#event-store';
import { foldBatch } from './fold.ts';
import { type ReadTable, readSchema } from './read-table.ts';

/** Channel on which a commit tells every master the new position. */
export const progressChannel = 'holdfast_events';

/** The next piece of the log. */
export interface Batch {
  /** In order, without gaps. */
  readonly stored: readonly StoredEvent[];
  /** The same, decoded. */
  readonly events: readonly RecordedEvent[];
  /** Creation time of the stream it came from. */
  readonly created: string;
}

/** Runs `work` in a transaction of the client. */
export const inTransaction = async <T>(client: ClientBase, work: () => Promise<T>): Promise<T> => {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
};

/**
 * Archive rows, read rows and checkpoint in one transaction, with the checkpoint row locked. Events up to the checkpoint are left
 * out, so a duplicate batch changes nothing. Answers the new checkpoint.
 */
export const projectBatch = (client: ClientBase, tables: readonly ReadTable[], batch: Batch): Promise<number> =>
  inTransaction(client, async () => {
    const checkpoint = await readCheckpoint(client, true);
    const stored = batch.stored.filter((event) => event.sequence > checkpoint.sequence);
    const last = stored.at(-1);
    if (!last || stored[0]?.sequence !== checkpoint.sequence + 1) return checkpoint.sequence;
    const events = batch.events.filter((event) => event.sequence > checkpoint.sequence);
    await insertArchive(client, stored);
    await foldBatch({ sql: client, schema: readSchema }, tables, events, new Map());
    await writeCheckpoint(client, { sequence: last.sequence, created: batch.created });
    await client.query('select pg_notify($1, $2)', [progressChannel, String(last.sequence)]);
    return last.sequence;
  });
