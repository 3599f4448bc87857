import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit log: a projection of every event. */
export class Audit1763730000300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table read.audit (
        id text primary key, sequence bigint not null, time timestamptz not null, actor text not null, "from" text, type text not null,
        aggregate text not null, aggregate_id text not null, revision integer not null, command text not null);
      create unique index on read.audit (sequence);
      create index on read.audit (aggregate_id, sequence);
      create index on read.audit (actor, sequence);
      create index on read.audit (type, sequence);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table read.audit');
  }
}
