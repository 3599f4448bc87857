import type { MigrationInterface, QueryRunner } from 'typeorm';

const live = `
create table live.run_absences (run text not null, attempt integer not null, times integer not null, since timestamptz not null, primary key (run, attempt));
create table live.executors (instance text primary key, beat_at timestamptz not null);
create table live.run_progress (run text primary key, node text not null, attempt integer not null, progress jsonb not null, received_at timestamptz not null);
`;

const read = `
create table read.runs (
  id text primary key, kind text not null, status text not null, node text not null, target text not null, repository text not null,
  task text, task_name text, cause text not null, plan jsonb not null, requested_by text not null, requested_at timestamptz not null,
  scheduled_for timestamptz, not_before timestamptz, started_at timestamptz, ended_at timestamptz, timeout_seconds integer not null,
  attempt integer not null, dispatched_at timestamptz, deadline timestamptz, instance text, claim text, attempts jsonb not null,
  code text, detail text, snapshot text, statistics jsonb, phases jsonb, faults jsonb, fault_count integer not null, revision integer not null);
create index runs_open on read.runs (status, node) where ended_at is null;
create index runs_requested on read.runs (requested_at desc, id desc);
create index runs_task on read.runs (task, requested_at desc);
create table read.tasks (
  id text primary key, name text not null, paused boolean not null, target text not null, nodes text[] not null, definition jsonb not null,
  scheduled boolean not null, schedule_since timestamptz not null, created_at timestamptz not null, changed_at timestamptz not null,
  revision integer not null);
create index tasks_name on read.tasks (name, id);
create table read.task_lanes (id text primary key, task text not null, scheduled_up_to timestamptz not null);
create table read.snapshots (
  id text primary key, run text not null, node text not null, target text not null, repository text not null, task text, task_name text,
  time timestamptz not null, object text not null, size bigint not null, partial boolean not null, late boolean not null, statistics jsonb,
  held boolean not null, held_reason text, forgotten boolean not null, verified_level text, verified_at timestamptz, verified_outcome text,
  revision integer not null);
create index snapshots_time on read.snapshots (time desc, id desc);
create index snapshots_repository on read.snapshots (repository, time desc);
create table read.repositories (
  id text primary key, node text not null, target text not null, repository_id text, generation integer not null, leases jsonb not null,
  snapshots integer not null, latest_snapshot text, pruned_at timestamptz, deleted_bytes bigint not null, created_at timestamptz,
  revision integer not null);
`;

/** Tables of the slices tasks, runs, snapshots and repositories. */
export class Runs1763730000200 implements MigrationInterface {
  readonly name = 'Runs1763730000200';

  async up(runner: QueryRunner): Promise<void> {
    for (const schema of ['read', 'live']) await runner.query(`create schema if not exists ${schema}`);
    await runner.query(live);
    await runner.query(read);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['repositories', 'snapshots', 'task_lanes', 'tasks', 'runs']) await runner.query(`drop table read.${name}`);
    for (const name of ['run_progress', 'executors', 'run_absences']) await runner.query(`drop table live.${name}`);
  }
}
