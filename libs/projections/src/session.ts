import type pg from 'pg';
import { SteadyClient, archiveUnavailable } from '#event-store';
import { progressChannel } from './project-batch.ts';

/** Key of the advisory lock that the projecting master holds as long as its session lives. */
const lockKey = 0x48_46_01;

/** A database session of the follower: it listens, and may hold the lock of the one who projects. */
export interface Session {
  readonly client: pg.Client;
  /** Aborted when the connection is gone; the lock is free then. */
  readonly ended: AbortSignal;
  tryLock(): Promise<boolean>;
  unlock(): Promise<void>;
  /** Ends the session of whoever else holds the lock: a master that is stopped in its tracks would hold it for ever. */
  breakLock(): Promise<void>;
  close(): Promise<void>;
}

/** Where to connect; statements end after `query_timeout`, 30 s unless set. */
export type SessionConfig = pg.ClientConfig;

const clientOf = (config: SessionConfig): pg.Client => new SteadyClient({
  application_name: 'holdfast-follower', connectionTimeoutMillis: 5_000, query_timeout: 30_000, keepAlive: true,
  // A paused master must not keep the checkpoint locked.
  idle_in_transaction_session_timeout: 10_000, ...config,
});

const listen = async (client: pg.Client): Promise<void> => {
  try {
    await client.connect();
    // Commits of this session do not wait for the disk: after a crash of the database the log is read again from the older checkpoint.
    await client.query(`listen ${progressChannel}; set synchronous_commit = off`);
  } catch (cause) {
    await client.end().catch(() => undefined);
    throw archiveUnavailable(cause);
  }
};

/** Opens a session that calls `moved` with each position that another session committed. */
export const openSession = async (config: SessionConfig, moved: (sequence: number) => void): Promise<Session> => {
  const client: pg.Client & { readonly processID?: number } = clientOf(config);
  const ended = new AbortController();
  client.on('error', (error) => ended.abort(archiveUnavailable(error)));
  client.on('end', () => ended.abort(archiveUnavailable(undefined)));
  client.on('notification', ({ channel, payload, processId }) => {
    if (channel === progressChannel && processId !== client.processID) moved(Number(payload));
  });
  await listen(client);
  return {
    client,
    ended: ended.signal,
    tryLock: async () => {
      const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [lockKey]);
      return rows[0]?.held === true;
    },
    unlock: async () => void (await client.query('select pg_advisory_unlock($1)', [lockKey])),
    breakLock: async () => {
      await client.query(
        `select pg_terminate_backend(pid) from pg_locks
         where locktype = 'advisory' and classid = 0 and objid = $1::bigint::oid and granted and pid <> pg_backend_pid()
           and database = (select oid from pg_database where datname = current_database())`, [lockKey]);
    },
    close: () => client.end().catch(() => undefined),
  };
};
