import type { ClientBase, QueryResult } from 'pg';
import { type RecordedEvent, type StoredEvent, copyToArchive } from '#event-store';
import { fault } from '#kernel';
import { type KnownRows, foldBatch } from './fold.ts';
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

/** Runs `work` in a transaction of the client, which `begin` opens. */
export const inTransaction = async <T, B>(client: ClientBase, work: (begun: B) => Promise<T>, begin: () => Promise<B>): Promise<T> => {
  try {
    const result = await work(await begin());
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
};

/** The checkpoint, and what changes with every rebuild. */
interface Place {
  readonly sequence: number;
  readonly rebuilt: string;
}

/** Opens a transaction with the checkpoint locked, in one round trip. */
const beginAtCheckpoint = async (client: ClientBase): Promise<Place> => {
  const answers = await client.query(`begin; select sequence, (select string_agg(xmin::text, ' ' order by name) from archive.read_models) as rebuilt
    from archive.checkpoint where id = 'events' for update`) as unknown as readonly QueryResult<{ sequence: string; rebuilt: string | null }>[];
  const row = answers[1]?.rows[0];
  if (!row) throw fault('internal', 'no-checkpoint', 'The archive has no checkpoint; run the migrations');
  return { sequence: Number(row.sequence), rebuilt: row.rebuilt ?? '' };
};

/** Rows kept in memory from one batch to the next, over all tables. */
const mostKnown = 1_000;

/** Projects batch after batch. After an error it must not be used again: what it knows of the rows may not have been committed. */
export type BatchProjector = (batch: Batch) => Promise<number>;

/**
 * A projector for whoever holds the lock. A batch is archive rows, read rows and checkpoint in one transaction, with the checkpoint
 * row locked. Events up to the checkpoint are left out, so a duplicate batch changes nothing. Answers the new checkpoint. Rows
 * touched lately are not read again, as nobody else writes them; they are forgotten after a rebuild, or when the checkpoint is not
 * where the last batch left it.
 */
export const batchProjector = (client: ClientBase, tables: readonly ReadTable[]): BatchProjector => {
  const known: KnownRows = new Map(tables.map((table) => [table, new Map<string, object | undefined>()]));
  let left: Place | undefined;
  const remember = (place: Place): void => {
    const rows = [...known.values()].reduce((sum, one) => sum + one.size, 0);
    if (rows > mostKnown || left?.sequence !== place.sequence || left.rebuilt !== place.rebuilt) known.forEach((one) => one.clear());
  };
  return (batch) => inTransaction(client, async (place) => {
    remember(place);
    left = undefined;
    const [first, ...more] = batch.stored.filter((event) => event.sequence > place.sequence);
    if (first?.sequence !== place.sequence + 1) return place.sequence;
    const events = batch.events.filter((event) => event.sequence > place.sequence);
    const { sequence } = more.at(-1) ?? first;
    await copyToArchive(client, [first, ...more], { created: batch.created, channel: progressChannel });
    await foldBatch({ sql: client, schema: readSchema }, tables, events, known);
    left = { sequence, rebuilt: place.rebuilt };
    return sequence;
  }, () => beginAtCheckpoint(client));
};
