import 'reflect-metadata';
import { type NatsConnection, connect } from 'nats';
import pg from 'pg';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import {
  type Decider, type DomainEvent, type EventStore, defineEvents, eventTypes, eventsStreamConfig, jetStreamEventStore,
} from '#event-store';
import { err, ok, refuse, systemClock } from '#kernel';
import { CreateArchive1763730000100, type ReadTable, readModel, readTables } from '#projections';
import { startNats, startPostgres } from '#testing';

/** An order of the size of a real `RunRequested`, and what follows it. */
type JobRequested = DomainEvent<'JobRequested', { readonly node: string; readonly task: string; readonly plan: object; readonly timeoutSeconds: number }>;
type JobDispatched = DomainEvent<'JobDispatched', { readonly attempt: number; readonly deadline: string }>;
type JobEnded = DomainEvent<'JobEnded', { readonly attempt: number; readonly bytes: number }>;
/** The events that the benchmark appends: a life of three. */
export type JobEvent = JobRequested | JobDispatched | JobEnded;
/** Next step of a job's life. */
export type JobCommand = { readonly type: 'next'; readonly node: string };

/** Declares them. */
export const jobTypes = eventTypes(defineEvents<JobEvent>({ JobRequested: [], JobDispatched: [], JobEnded: [] }));

const requested = (node: string): JobRequested => ({
  type: 'JobRequested',
  data: { node, task: 'task_5f2k0a9c8w3n1m7q4x6z', timeoutSeconds: 3600, plan: { kind: 'backup', source: { type: 'files', paths: ['/srv/data', '/etc'], exclude: ['*.tmp'] } } },
});

/** A decider of the shape of the real ones. */
export const jobDecider: Decider<{ readonly step: number }, JobCommand, JobEvent> = {
  aggregate: 'job',
  initialState: { step: 0 },
  decide: (command, { step }) => {
    if (step === 0) return ok([requested(command.node)]);
    if (step === 1) return ok([{ type: 'JobDispatched', data: { attempt: 1, deadline: '2026-01-01T00:01:00.000Z' } }]);
    if (step === 2) return ok([{ type: 'JobEnded', data: { attempt: 1, bytes: 123_456_789 } }]);
    return err(refuse('conflict', 'ended', 'It has ended'));
  },
  evolve: ({ step }) => ({ step: step + 1 }),
};

@Entity({ schema: 'read', name: 'jobs' })
class JobRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) node: string;
  @Column({ type: 'text' }) status: string;
  @Column({ type: 'bigint' }) bytes: number;
  @Column({ type: 'integer' }) revision: number;
  @Column({ name: 'changed_at', type: 'timestamptz' }) changedAt: Date;
  @Column({ type: 'jsonb' }) plan: object;
}
@Entity({ schema: 'read', name: 'trail' })
class TrailRow {
  @PrimaryColumn({ type: 'bigint' }) sequence: number;
  @Column({ type: 'text' }) actor: string;
  @Column({ type: 'text' }) what: string;
  @Column({ type: 'text' }) about: string;
  @Column({ type: 'timestamptz' }) at: Date;
}

const handles = ['JobRequested', 'JobDispatched', 'JobEnded'] as const;
const jobs = readModel<JobRow, JobEvent>({
  name: 'jobs', entity: JobRow, handles,
  keys: (event) => [event.aggregate.id],
  evolve: (row, { event, revision, context }, id) => {
    const changedAt = new Date(context.time);
    if (event.type === 'JobRequested') return { id, node: event.data.node, status: 'queued', bytes: 0, revision, changedAt, plan: event.data.plan };
    if (!row) return undefined;
    return { ...row, revision, changedAt, ...(event.type === 'JobEnded' ? { status: 'ended', bytes: event.data.bytes } : { status: 'dispatched' }) };
  },
});
const trail = readModel<TrailRow, JobEvent>({
  name: 'trail', entity: TrailRow, handles,
  keys: (event) => [String(event.sequence)],
  evolve: (_row, event) => ({
    sequence: event.sequence, actor: event.context.actor, what: event.event.type, about: event.aggregate.id, at: new Date(event.context.time),
  }),
});

/** Real servers with the schema, the stream and a store on them. */
export interface BenchStack {
  readonly connection: NatsConnection;
  readonly pool: pg.Pool;
  readonly database: { readonly connectionString: string };
  readonly store: EventStore;
  readonly tables: readonly ReadTable[];
  readonly installation: string;
  /** Drops every row and every message. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts nats-server (fsync before every ack) and Postgres for the benchmark. */
export const startBenchStack = async (): Promise<BenchStack> => {
  const [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
  const connection = await connect({ servers: nats.url, noAsyncTraces: true });
  const manager = await connection.jetstreamManager();
  await manager.streams.add(eventsStreamConfig(1));
  const pool = new pg.Pool({ connectionString: postgres.url, max: 10 });
  pool.on('error', () => undefined);
  const dataSource = await new DataSource({
    type: 'postgres', url: postgres.url, entities: [JobRow, TrailRow], migrations: [CreateArchive1763730000100],
  }).initialize();
  await dataSource.runMigrations();
  await pool.query(`create table read.jobs (id text primary key, node text not null, status text not null, bytes bigint not null,
    revision integer not null, changed_at timestamptz not null, plan jsonb not null)`);
  await pool.query('create index on read.jobs (node, changed_at)');
  await pool.query('create table read.trail (sequence bigint primary key, actor text not null, what text not null, about text not null, at timestamptz not null)');
  const tables = readTables(dataSource, [jobs, trail]);
  await dataSource.destroy();
  const installation = 'inst_bench';
  const open = () => jetStreamEventStore({ connection, sql: pool, types: jobTypes, installation, clock: systemClock });
  return {
    connection, pool, tables, installation, database: { connectionString: postgres.url }, store: open(),
    clear: async () => {
      await manager.streams.delete('EVENTS');
      await manager.streams.add(eventsStreamConfig(1));
      await pool.query("truncate archive.events, archive.read_models, read.jobs, read.trail; update archive.checkpoint set sequence = 0, stream_created = null");
    },
    stop: async () => {
      await connection.close();
      await pool.end();
      await Promise.all([nats.stop(), postgres.stop()]);
    },
  };
};
