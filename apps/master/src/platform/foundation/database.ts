import pg from 'pg';
import { DataSource, type MixedList } from 'typeorm';
import { SteadyClient } from '#event-store';
import { type Clock, type Logger, messageOf } from '#kernel';

/** All masters take this lock before they look at the tables' versions. */
const migrationLock = 'holdfast migrations';

type Classes = MixedList<new () => object>;

/** What a database needs. */
export interface DatabaseParts {
  readonly url: string;
  readonly entities: readonly (new () => object)[];
  readonly migrations: readonly (new () => object)[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** The database of a master, with the tables of this version. */
export interface Database {
  readonly source: DataSource;
  /** For the event store: short reads of the archive. */
  readonly pool: pg.Pool;
}

const connected = async ({ url, clock, logger, signal }: DatabaseParts): Promise<pg.Client> => {
  for (let wait = 250; ; wait = Math.min(wait * 2, 10_000)) {
    const client = new SteadyClient({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'holdfast-migrations' });
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      signal.throwIfAborted();
      logger.warn('Postgres cannot be reached; trying again', { reason: messageOf(error) });
      await clock.sleep(wait, signal);
    }
  }
};

/** Runs the migrations that are missing. Any number of masters may start at once: one does it, the others wait. */
const migrate = async (parts: DatabaseParts, source: DataSource): Promise<void> => {
  const client = await connected(parts);
  try {
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [migrationLock]);
    await source.initialize();
    const done = await source.runMigrations({ transaction: 'each' });
    if (done.length > 0) parts.logger.info('tables were migrated', { migrations: done.map(({ name }) => name) });
  } finally {
    await client.end();
  }
};

/** Connects, waiting for a Postgres that is not there yet, and brings its tables to this version. Never by `synchronize`. */
export const openDatabase = async (parts: DatabaseParts): Promise<Database> => {
  const { url, entities, migrations, logger } = parts;
  const source = new DataSource({
    type: 'postgres', url, schema: 'public', entities: entities as Classes, migrations: migrations as Classes, migrationsTableName: 'holdfast_migrations',
    synchronize: false, logging: false, parseInt8: true, applicationName: 'holdfast-master',
    extra: { Client: SteadyClient, max: 12, statement_timeout: 30_000, idle_in_transaction_session_timeout: 60_000, connectionTimeoutMillis: 5_000 },
  });
  try {
    await migrate(parts, source);
  } catch (error) {
    if (source.isInitialized) await source.destroy();
    throw error;
  }
  const pool = new pg.Pool({ Client: SteadyClient, connectionString: url, max: 6, statement_timeout: 10_000, connectionTimeoutMillis: 5_000, application_name: 'holdfast-log' });
  pool.on('error', (error) => logger.warn('A connection to Postgres broke', { reason: error.message }));
  return { source, pool };
};
