import type { ClientBase } from 'pg';
import { type EventCodec, readArchive, readCheckpoint } from '#event-store';
import type { Logger } from '#kernel';
import { type KnownRows, foldBatch } from './fold.ts';
import { inTransaction } from './project-batch.ts';
import { type ReadTable, readSchema } from './read-table.ts';

/** What a rebuild works with. */
export interface RebuildParts {
  /** A session of its own. */
  readonly client: ClientBase;
  readonly tables: readonly ReadTable[];
  readonly codec: EventCodec;
  readonly logger: Logger;
}

/** What a rebuild did. */
export interface Rebuilt {
  readonly events: number;
  /** Names of the models that were rebuilt. */
  readonly models: readonly string[];
}

const beside = 'read_rebuild';
const page = 5_000;
/** Rows kept in memory from one page to the next, over all tables; beyond that they are read back. */
const mostKnown = 200_000;
/** One rebuild at a time. */
const rebuildLock = 0x48_46_02;

const forget = (known: KnownRows): void => {
  const rows = [...known.values()].reduce((sum, one) => sum + one.size, 0);
  if (rows > mostKnown) known.forEach((one) => one.clear());
};

const replay = async ({ client, tables, codec }: RebuildParts, from: number, until: number, known: KnownRows): Promise<void> => {
  for (let after = from; after < until;) {
    const stored = await readArchive(client, { after, until, limit: page });
    const last = stored.at(-1);
    if (!last) return;
    await foldBatch({ sql: client, schema: beside }, tables, stored.map((one) => codec.decode(one)), known);
    forget(known);
    after = last.sequence;
  }
};

const prepare = async ({ client, tables }: RebuildParts): Promise<void> => {
  await client.query(`drop schema if exists ${beside} cascade`);
  await client.query(`create schema ${beside}`);
  for (const { name, primary } of tables) {
    await client.query(`create unlogged table ${beside}.${name} (like ${readSchema}.${name} including defaults)`);
    await client.query(`alter table ${beside}.${name} add primary key (${primary.name})`);
  }
};

const swap = async ({ client, tables }: RebuildParts): Promise<void> => {
  await client.query(`truncate ${tables.map(({ name }) => `${readSchema}.${name}`).join(', ')}`);
  for (const { name, columns, model } of tables) {
    const names = columns.map((column) => column.name).join(', ');
    await client.query({ text: `insert into ${readSchema}.${name} (${names}) select ${names} from ${beside}.${name}`, query_timeout: 3_600_000 } as { text: string });
    await client.query(
      'insert into archive.read_models values ($1, $2) on conflict (name) do update set version = excluded.version', [model.name, model.version ?? 1]);
  }
  await client.query(`drop schema ${beside} cascade`);
};

/**
 * Makes the rows of the tables anew from the archive, beside those in use, and exchanges them in one transaction, in which the last
 * events are caught up with the checkpoint locked. Readers and the follower go on meanwhile.
 */
export const rebuild = async (parts: RebuildParts): Promise<Rebuilt> => {
  const { client, tables } = parts;
  await client.query('select pg_advisory_lock($1)', [rebuildLock]);
  try {
    const known: KnownRows = new Map(tables.map((table) => [table, new Map<string, object | undefined>()]));
    await prepare(parts);
    const { sequence: first } = await readCheckpoint(client);
    await replay(parts, 0, first, known);
    const events = await inTransaction(client, async () => {
      const { sequence } = await readCheckpoint(client, true);
      await replay(parts, first, sequence, known);
      await swap(parts);
      return sequence;
    }, () => client.query('begin'));
    return { events, models: tables.map(({ model }) => model.name) };
  } finally {
    await client.query('select pg_advisory_unlock($1)', [rebuildLock]).catch(() => undefined);
  }
};

/** Rebuilds the models that are new, or whose version is not the one that made their rows. The caller holds the follower's lock. */
export const rebuildOutdated = async (parts: RebuildParts): Promise<void> => {
  const { rows } = await parts.client.query<{ name: string; version: number }>('select name, version from archive.read_models');
  const made = new Map(rows.map((row) => [row.name, row.version]));
  const outdated = parts.tables.filter(({ model }) => made.get(model.name) !== (model.version ?? 1));
  if (outdated.length === 0) return;
  const done = await rebuild({ ...parts, tables: outdated });
  parts.logger.info('Read models were built from the archive', { models: done.models, events: done.events });
};
