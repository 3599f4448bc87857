import { type NatsConnection, connect } from 'nats';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '#kernel';
import { type TestDatabase, type TestNats, startDatabase, startNats } from '#testing';
import { archiveUp } from './archive-schema.ts';
import { jetStreamEventStore } from './jetstream-event-store.ts';
import { eventsStreamConfig } from './stream-config.ts';
import { contractEvents, eventStoreContract } from './testing.ts';

let nats: TestNats;
let postgres: TestDatabase;
let connection: NatsConnection;
let pool: pg.Pool;

beforeAll(async () => {
  [nats, postgres] = await Promise.all([startNats(), startDatabase()]);
  connection = await connect({ servers: nats.url, noAsyncTraces: true });
  await (await connection.jetstreamManager()).streams.add(eventsStreamConfig(1));
  pool = new pg.Pool({ connectionString: postgres.url });
  pool.on('error', () => undefined);
  for (const statement of archiveUp) await pool.query(statement);
});
afterAll(async () => {
  await connection.close();
  await pool.end();
  await Promise.all([nats.stop(), postgres.stop()]);
});

eventStoreContract('the log on JetStream', async () =>
  jetStreamEventStore({ connection, sql: pool, types: contractEvents, installation: 'inst_test', clock: systemClock }));
