import { type NatsConnection, connect } from 'nats';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { type TestDatabase, type TestNats, startDatabase, startNats } from '#testing';
import { archiveDown, archiveUp } from './archive-schema.ts';
import { copyToArchive } from './archive.ts';
import { eventCodec } from './codec.ts';
import type { EventContext } from './event.ts';
import { jetStreamEventStore } from './jetstream-event-store.ts';
import { type LogCopies, checkLog } from './log-check.ts';
import { logReader } from './log-reader.ts';
import { reappend } from './reappend.ts';
import { eventsStreamConfig } from './stream-config.ts';
import { contractEvents } from './testing.ts';

let nats: TestNats;
let postgres: TestDatabase;
let connection: NatsConnection;
let pool: pg.Pool;
let copies: LogCopies;
let count = 0;
const installation = 'inst_test';
const codec = eventCodec(contractEvents, installation);

const makeStream = async () => (await connection.jetstreamManager()).streams.add(eventsStreamConfig(1));
const removeStream = async () => (await connection.jetstreamManager()).streams.delete('EVENTS');
const store = () => jetStreamEventStore({ connection, sql: pool, types: contractEvents, installation, clock: systemClock });
const context = (): EventContext => ({ time: '2026-01-01T00:00:00.000Z', actor: 'user:a', commandId: `c${++count}` });
const append = async (id: string, to = store()) => {
  const { sequence, revision } = await to.load({ type: 'account', id });
  return to.append([{ aggregate: { type: 'account', id }, expectedSequence: sequence, expectedRevision: revision,
    events: [{ type: 'ContractPaid', data: { cents: count, note: 'ü\u0000"\\' } }] }], context());
};
/** Copies the log up to `until` into the archive, as the follower does. */
const archive = async (until: number) => {
  const { created } = await copies.log.info();
  const stored = await Promise.all(Array.from({ length: until }, (_, i) => copies.log.at(i + 1)));
  const [first, ...more] = stored.filter((event) => event !== undefined);
  if (first) await copyToArchive(pool, [first, ...more], { created, channel: 'test' });
};
const wholeLog = async (last: number) => Promise.all(Array.from({ length: last }, (_, i) => copies.log.at(i + 1)));

beforeAll(async () => {
  [nats, postgres] = await Promise.all([startNats(), startDatabase()]);
  connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  pool = new pg.Pool({ connectionString: postgres.url });
  pool.on('error', () => undefined);
  copies = { log: logReader(connection, systemClock), sql: pool, installation };
});
beforeEach(async () => {
  for (const statement of archiveDown) await pool.query(statement.replace('schema archive', 'schema if exists archive'));
  for (const statement of archiveUp) await pool.query(statement);
  await removeStream().catch(() => false);
  await makeStream();
  for (let i = 0; i < 20; i++) await append(`a${i % 3}`);
});
afterAll(async () => {
  await connection.close();
  await pool.end();
  await Promise.all([nats.stop(), postgres.stop()]);
});

describe('log and archive', () => {
  it('a shorter archive agrees: it just catches up', async () => {
    expect(await checkLog(copies)).toMatchObject({ state: 'agree', archived: 0, last: 20 });
    await archive(13);
    expect(await checkLog(copies)).toMatchObject({ state: 'agree', archived: 13, last: 20 });
  });

  it('loads what the archive holds and the tail that it does not hold yet', async () => {
    await archive(13);
    const { events, revision } = await store().load({ type: 'account', id: 'a1' });
    expect(events.map((event) => event.revision)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(revision).toBe(7);
    expect(events).toEqual((await wholeLog(20)).filter((one) => one?.subject.endsWith('.a1')).map((one) => codec.decode(one!)));
  });

  it('a stream that was made anew fences every append until an operator writes it again, event for event', async () => {
    await archive(20);
    const before = await wholeLog(20);
    await removeStream();
    await makeStream();
    expect(await checkLog(copies)).toMatchObject({ state: 'recreated', archived: 20, last: 0 });
    await expect(append('a0')).rejects.toMatchObject({ code: 'log-diverged', kind: 'unavailable' });
    expect((await copies.log.info()).last).toBe(0);
    expect(await reappend({ ...copies, connection, clock: systemClock })).toEqual({ compared: 0, written: 20 });
    expect(await wholeLog(20)).toEqual(before);
    expect(await checkLog(copies)).toMatchObject({ state: 'agree' });
    expect(await append('a0')).toMatchObject([{ sequence: 21, revision: 8 }]);
  });

  it('a log that lost its tail is completed, after what is left was compared; doing it twice is harmless', async () => {
    await archive(20);
    const before = await wholeLog(20);
    await removeStream();
    await makeStream();
    await pool.query('update archive.checkpoint set stream_created = $1', [(await copies.log.info()).created]);
    await pool.query('update archive.checkpoint set sequence = 12');
    await reappend({ ...copies, connection, clock: systemClock });
    await pool.query('update archive.checkpoint set sequence = 20');
    expect(await checkLog(copies)).toMatchObject({ state: 'lost-tail', archived: 20, last: 12 });
    await expect(append('a0')).rejects.toMatchObject({ code: 'log-diverged' });
    expect(await reappend({ ...copies, connection, clock: systemClock })).toEqual({ compared: 12, written: 8 });
    expect(await reappend({ ...copies, connection, clock: systemClock })).toEqual({ compared: 20, written: 0 });
    expect(await wholeLog(20)).toEqual(before);
  });

  it('another event at the same place is never written over', async () => {
    await archive(20);
    await removeStream();
    await makeStream();
    await pool.query("update archive.checkpoint set sequence = 0, stream_created = null");
    await append('other');
    await pool.query('update archive.checkpoint set sequence = 20');
    await expect(append('a0')).rejects.toMatchObject({ code: 'log-diverged' });
    await expect(reappend({ ...copies, connection, clock: systemClock })).rejects.toMatchObject({ code: 'log-different' });
    expect((await copies.log.info()).last).toBe(1);
  });

  it('archive and stream of different installations refuse to work together', async () => {
    const other = jetStreamEventStore({ connection, sql: pool, types: contractEvents, installation: 'inst_other', clock: systemClock });
    await expect(append('a0', other)).rejects.toMatchObject({ code: 'foreign-event' });
  });

  it('the comparison is made again after every reconnection: a log that went away meanwhile is noticed', async () => {
    await archive(20);
    const writer = store();
    await append('a0', writer);
    const other = await connect({ servers: nats.url });
    await (await other.jetstreamManager()).streams.delete('EVENTS');
    await (await other.jetstreamManager()).streams.add(eventsStreamConfig(1));
    await other.close();
    await nats.kill();
    await nats.restart();
    await expect(append('new', writer)).rejects.toMatchObject({ code: 'log-diverged' });
    expect((await copies.log.info()).last).toBe(0);
  });
});
