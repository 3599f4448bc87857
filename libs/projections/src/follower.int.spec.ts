import 'reflect-metadata';
import { type NatsConnection, connect } from 'nats';
import pg from 'pg';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type DomainEvent, type EventStore, type RecordedEvent, defineEvents, eventTypes, eventsStreamConfig, jetStreamEventStore, eventCodec,
} from '#event-store';
import { silentLogger, systemClock } from '#kernel';
import { type TestNats, type TestPostgres, startNats, startPostgres, waitUntil } from '#testing';
import { CreateArchive1763730000100, type Follower, createFollower, readModel, readTables, rebuild } from './index.ts';
import { dumpTables } from './testing.ts';

type Paid = DomainEvent<'Paid', { readonly cents: number }>;
type Closed = DomainEvent<'Closed', object>;
type AccountEvent = Paid | Closed;

@Entity({ schema: 'read', name: 'accounts' })
class AccountRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'bigint' }) cents: number;
  @Column({ name: 'paid_at', type: 'timestamptz', nullable: true }) paidAt: Date | null;
  @Column({ type: 'jsonb' }) last: { readonly by: string; readonly amounts: readonly number[] };
}
@Entity({ schema: 'read', name: 'payments' })
class PaymentRow {
  @PrimaryColumn({ type: 'bigint' }) sequence: number;
  @Column({ type: 'text' }) account: string;
}

const types = eventTypes(defineEvents<AccountEvent>({ Paid: [], Closed: [] }));
const accounts = readModel<AccountRow, AccountEvent>({
  name: 'accounts', entity: AccountRow, handles: ['Paid', 'Closed'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, { event, context }, key) => (event.type === 'Closed' ? undefined : {
    id: key, cents: (row?.cents ?? 0) + event.data.cents, paidAt: new Date(context.time),
    last: { by: context.actor, amounts: [...(row?.last.amounts ?? []).slice(-2), event.data.cents] },
  }),
});
const payments = readModel<PaymentRow, Paid>({
  name: 'payments', entity: PaymentRow, handles: ['Paid'],
  keys: (event) => [String(event.sequence)],
  evolve: (_row, event) => ({ sequence: event.sequence, account: event.aggregate.id }),
});
const models = [accounts, payments];
const installation = 'inst_test';

let nats: TestNats;
let postgres: TestPostgres;
let connection: NatsConnection;
let pool: pg.Pool;
let dataSource: DataSource;
let store: EventStore;
let count = 0;
let followers: Follower[] = [];

const follower = (more: { types?: typeof types; stalledMs?: number; batch?: number } = {}): Follower => {
  const made = createFollower({
    connection, sql: pool, database: { connectionString: dataSource.options.type === 'postgres' ? dataSource.options.url : '' }, types, installation,
    tables: readTables(dataSource, models), clock: systemClock, logger: silentLogger, lookMs: 50, ...more,
  });
  followers.push(made);
  return made;
};
const append = async (id: string, ...events: AccountEvent[]): Promise<readonly RecordedEvent[]> => {
  const { sequence, revision } = await store.load({ type: 'account', id });
  return store.append([{ aggregate: { type: 'account', id }, expectedSequence: sequence, expectedRevision: revision, events }],
    { time: `2026-01-01T00:00:00.${String(++count % 1000).padStart(3, '0')}Z`, actor: 'user:a', commandId: `c${count}` });
};
const pay = (id: string, cents = 1) => append(id, { type: 'Paid', data: { cents } });
const lastOf = (events: readonly RecordedEvent[]) => events.at(-1)?.sequence ?? 0;
const sum = async () => Number((await pool.query<{ sum: string }>('select coalesce(sum(cents), 0) as sum from read.accounts')).rows[0]?.sum);

beforeAll(async () => {
  [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
  connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50, noAsyncTraces: true });
});
let databases = 0;
beforeEach(async () => {
  const url = await postgres.createDatabase(`test${++databases}`);
  pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 5_000 });
  pool.on('error', () => undefined);
  dataSource = await new DataSource({
    type: 'postgres', url, entities: [AccountRow, PaymentRow], migrations: [CreateArchive1763730000100], poolErrorHandler: () => undefined,
  }).initialize();
  await dataSource.runMigrations();
  await dataSource.query('create table read.accounts (id text primary key, cents bigint not null, paid_at timestamptz, last jsonb not null)');
  await dataSource.query('create table read.payments (sequence bigint primary key, account text not null)');
  const manager = await connection.jetstreamManager();
  await manager.streams.delete('EVENTS').catch(() => false);
  await manager.streams.add(eventsStreamConfig(1));
  store = jetStreamEventStore({ connection, sql: pool, types, installation, clock: systemClock });
});
afterEach(async () => {
  await Promise.all(followers.map((one) => one.stop()));
  followers = [];
  await dataSource.destroy().catch(() => undefined);
  await pool.end();
});
afterAll(async () => {
  await connection.close();
  await Promise.all([nats.stop(), postgres.stop()]);
});

describe('the follower', () => {
  it('projects what was appended before and after its start, and a writer reads its own write', async () => {
    await pay('a', 5);
    const one = follower();
    await one.start();
    const sequence = lastOf(await append('a', { type: 'Paid', data: { cents: 7 } }, { type: 'Paid', data: { cents: 8 } }));
    expect(await one.waitFor(sequence, 30_000)).toBe(true);
    expect((await pool.query('select id, cents::text, last, paid_at from read.accounts')).rows)
      .toEqual([{ id: 'a', cents: '20', last: { by: 'user:a', amounts: [5, 7, 8] }, paid_at: new Date(`2026-01-01T00:00:00.${String(count % 1000).padStart(3, '0')}Z`) }]);
    expect(await one.lag()).toEqual({ last: sequence, projected: sequence, events: 0 });
    expect(one.status.state).toBe('projecting');
    const removed = lastOf(await append('a', { type: 'Closed', data: {} }));
    expect(await one.waitFor(removed, 30_000)).toBe(true);
    expect(await sum()).toBe(0);
    expect(await one.waitFor(removed + 1, 50)).toBe(false);
  });

  it('one master projects, the other learns of it, delivers the same events, and takes over', async () => {
    const [one, other] = [follower(), follower()];
    await one.start();
    await other.start();
    expect([one.status.state, other.status.state]).toEqual(['projecting', 'waiting']);
    const heard: number[][] = [[], []];
    [one, other].forEach((each, index) => each.onEvents((events) => heard[index]?.push(...events.map((event) => event.sequence))));
    for (let i = 0; i < 50; i++) await pay(`a${i % 5}`);
    expect(await Promise.all([one, other].map((each) => each.waitFor(50, 30_000)))).toEqual([true, true]);
    const all = Array.from({ length: 50 }, (_, i) => i + 1);
    await waitUntil(() => heard[1]?.length === 50);
    expect(heard).toEqual([all, all]);
    await one.stop();
    const next = lastOf(await pay('a0'));
    expect(await other.waitFor(next, 30_000)).toBe(true);
    expect(other.status.state).toBe('projecting');
    await waitUntil(() => heard[1]?.at(-1) === next);
    expect(await sum()).toBe(51);
  });

  it('a master that is stopped in its tracks while it holds the lock loses it', async () => {
    const blocker = new pg.Client({ connectionString: dataSource.options.type === 'postgres' ? dataSource.options.url : '' });
    blocker.on('error', () => undefined);
    await blocker.connect();
    await blocker.query('select pg_try_advisory_lock($1)', [0x48_46_01]);
    const one = follower({ stalledMs: 200 });
    await one.start();
    expect(one.status.state).toBe('waiting');
    expect(await one.waitFor(lastOf(await pay('a')), 30_000)).toBe(true);
    await blocker.end().catch(() => undefined);
  });

  it('an event of a newer version stops it there, with the rows before it in place, and it says so', async () => {
    const newer = jetStreamEventStore({
      connection, sql: pool, types: eventTypes(defineEvents<AccountEvent>({ Paid: [(data) => data], Closed: [] })), installation, clock: systemClock,
    });
    await pay('a');
    await newer.append([{ aggregate: { type: 'account', id: 'b' }, expectedSequence: 0, expectedRevision: 0, events: [{ type: 'Paid', data: { cents: 1 } }] }],
      { time: '2026-01-01T00:00:00.000Z', actor: 'user:a', commandId: 'newer' });
    await pay('c');
    const one = follower();
    await one.start();
    await waitUntil(() => one.status.state === 'halted');
    expect(one.status).toMatchObject({ code: 'unknown-event' });
    expect(one.position).toBe(1);
    expect((await pool.query('select id from read.accounts')).rows).toEqual([{ id: 'a' }]);
    await expect(store.load({ type: 'account', id: 'b' })).rejects.toMatchObject({ code: 'unknown-event' });
    const upgraded = follower({ types: eventTypes(defineEvents<AccountEvent>({ Paid: [(data) => data], Closed: [] })) });
    await upgraded.start();
    expect(await upgraded.waitFor(3, 30_000)).toBe(true);
  });

  it('shows either all events of one decision or none, whatever the size of its transactions', async () => {
    const both = async (commandId: string): Promise<readonly RecordedEvent[]> => store.append(['x', 'y', 'z'].map((kind) => ({
      aggregate: { type: 'account', id: `${commandId}-${kind}` }, expectedSequence: 0, expectedRevision: 0,
      events: [{ type: 'Paid', data: { cents: 1 } }, { type: 'Paid', data: { cents: 1 } }],
    })), { time: '2026-01-01T00:00:00.000Z', actor: 'user:a', commandId });
    for (let i = 0; i < 20; i++) await both(`before-${i}`);
    const one = follower({ batch: 4 });
    await pool.query(`create table seen (sums bigint)`);
    await pool.query(`create function note() returns trigger language plpgsql as $$ begin insert into seen select sum(cents) from read.accounts; return null; end $$`);
    await pool.query('create constraint trigger noted after insert or update on read.accounts deferrable initially deferred for each row execute function note()');
    await one.start();
    for (let i = 0; i < 20; i++) await both(`after-${i}`);
    await pay('single');
    expect(await one.waitFor(241, 30_000)).toBe(true);
    const { rows } = await pool.query<{ sums: string }>('select distinct sums from seen');
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.map(({ sums }) => Number(sums)).filter((sums) => sums !== 241 && sums % 6 !== 0)).toEqual([]);
  });

  it('an event of a newer version takes the rest of its decision with it', async () => {
    const newer = jetStreamEventStore({
      connection, sql: pool, types: eventTypes(defineEvents<AccountEvent>({ Paid: [], Closed: [(data) => data] })), installation, clock: systemClock,
    });
    await pay('a');
    await newer.append([
      { aggregate: { type: 'account', id: 'b' }, expectedSequence: 0, expectedRevision: 0, events: [{ type: 'Paid', data: { cents: 1 } }, { type: 'Closed', data: {} }] },
    ], { time: '2026-01-01T00:00:00.000Z', actor: 'user:a', commandId: 'newer' });
    const one = follower();
    await one.start();
    await waitUntil(() => one.status.state === 'halted');
    expect(one.position).toBe(1);
  });

  it('projects nothing from a log that is not the archive\'s, and goes on by itself when it is again', async () => {
    const one = follower();
    await one.start();
    expect(await one.waitFor(lastOf(await pay('a')), 30_000)).toBe(true);
    await one.stop();
    const created = (await pool.query<{ stream_created: string }>('select stream_created from archive.checkpoint')).rows[0]?.stream_created;
    await pool.query("update archive.checkpoint set stream_created = 'another'");
    const two = follower();
    await two.start();
    await waitUntil(() => two.status.state === 'failing');
    expect(two.status).toMatchObject({ code: 'log-diverged' });
    await pool.query('update archive.checkpoint set stream_created = $1', [created]);
    await waitUntil(() => two.status.state === 'projecting');
  });
});

describe('a killed server', () => {
  it('Postgres killed in mid-batch: no event is lost, none counts twice', async () => {
    const [one, other] = [follower({ batch: 100 }), follower({ batch: 100 })];
    await one.start();
    await other.start();
    let [stop, paid] = [false, 0];
    const payers = Array.from({ length: 10 }, async (_, i) => {
      for (let n = 0; !stop; n++) {
        await waitUntil(() => pay(`k${i}-${n}`).then(() => true), 30_000);
        paid++;
      }
    });
    const furthest = () => Math.max(one.position, other.position);
    for (let i = 0; i < 3; i++) {
      const before = furthest();
      await waitUntil(() => furthest() > before + 40, 60_000);
      await postgres.kill();
      await postgres.restart();
    }
    stop = true;
    await Promise.all(payers);
    expect(await one.waitFor(paid, 30_000)).toBe(true);
    expect(await other.waitFor(paid, 30_000)).toBe(true);
    expect(await sum()).toBe(paid);
    const { rows } = await pool.query('select count(*)::int as n, max(sequence)::int as last from archive.events');
    expect(rows).toEqual([{ n: paid, last: paid }]);
    expect((await pool.query('select count(*)::int as n from read.payments')).rows).toEqual([{ n: paid }]);
  });

  it('nats-server killed in mid-append: every append that succeeded is there once', async () => {
    const one = follower();
    await one.start();
    const acknowledged: string[] = [];
    let stop = false;
    const writers = Array.from({ length: 20 }, async (_, w) => {
      for (let n = 0; !stop; n++) {
        const commandId = `w${w}-${n}`;
        const aggregate = { type: 'account', id: `${commandId}` };
        const other = { type: 'account', id: `${commandId}-b` };
        const event: Paid = { type: 'Paid', data: { cents: 1 } };
        const asNew = { expectedSequence: 0, expectedRevision: 0, events: [event] };
        await store.append(n % 2 ? [{ aggregate, ...asNew }] : [{ aggregate, ...asNew }, { aggregate: other, ...asNew }],
          { time: '2026-01-01T00:00:00.000Z', actor: 'user:a', commandId });
        acknowledged.push(...(n % 2 ? [aggregate.id] : [aggregate.id, other.id]));
      }
    });
    for (let i = 0; i < 3; i++) {
      const before = acknowledged.length;
      await waitUntil(() => acknowledged.length > before + 500, 60_000);
      await nats.kill();
      await nats.restart();
    }
    const before = acknowledged.length;
    await waitUntil(() => acknowledged.length > before + 500, 60_000);
    stop = true;
    await Promise.all(writers);
    const { last } = await one.lag();
    expect(last).toBe(acknowledged.length);
    expect(await one.waitFor(last, 30_000)).toBe(true);
    const { rows } = await pool.query<{ id: string; cents: string }>('select id, cents::text from read.accounts');
    expect(rows.map((row) => row.id).sort()).toEqual([...acknowledged].sort());
    expect(rows.every((row) => row.cents === '1')).toBe(true);
  });
});

describe('a rebuild', () => {
  it('gives equal rows, beside a follower that goes on', async () => {
    const one = follower();
    await one.start();
    for (let i = 0; i < 200; i++) await append(`r${i % 17}`, i % 41 === 40 ? { type: 'Closed', data: {} } : { type: 'Paid', data: { cents: i } });
    await one.waitFor(200, 30_000);
    const tables = readTables(dataSource, models);
    const before = await dumpTables(pool, tables);
    expect(before.length).toBeGreaterThan(100);
    await pool.query("update read.accounts set cents = 99; delete from read.payments where sequence < 50; insert into read.accounts values ('ghost', 1, null, '{}')");
    const client = new pg.Client({ connectionString: dataSource.options.type === 'postgres' ? dataSource.options.url : '' });
    await client.connect();
    const done = rebuild({ client, tables, codec: eventCodec(types, installation), logger: silentLogger });
    expect(await done).toMatchObject({ events: 200, models: ['accounts', 'payments'] });
    expect(await dumpTables(pool, tables)).toEqual(before);
    expect(await one.waitFor(lastOf(await pay('after')), 30_000)).toBe(true);
    const after = await dumpTables(pool, tables);
    await rebuild({ client, tables, codec: eventCodec(types, installation), logger: silentLogger });
    expect(await dumpTables(pool, tables)).toEqual(after);
    await client.end();
  });

  it('a model whose version was raised is rebuilt at the next start', async () => {
    const one = follower();
    await one.start();
    await one.waitFor(lastOf(await pay('a', 3)), 30_000);
    await one.stop();
    const doubled = { ...accounts, version: 2, evolve: (row: AccountRow | undefined, event: RecordedEvent<AccountEvent>, key: string) => {
      const next = accounts.evolve(row, event, key);
      return next && { ...next, cents: (row?.cents ?? 0) + 2 * (event.event.type === 'Paid' ? event.event.data.cents : 0) };
    } };
    const two = createFollower({
      connection, sql: pool, database: { connectionString: dataSource.options.type === 'postgres' ? dataSource.options.url : '' }, types, installation,
      tables: readTables(dataSource, [doubled, payments]), clock: systemClock, logger: silentLogger,
    });
    followers.push(two);
    await two.start();
    await two.waitFor(lastOf(await pay('b', 1)), 30_000);
    expect((await pool.query('select id, cents::text from read.accounts order by id')).rows).toEqual([{ id: 'a', cents: '6' }, { id: 'b', cents: '2' }]);
  });
});
