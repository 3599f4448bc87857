import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Nodes out of service, what agents say of their hosts and their load, and orders to upgrade. */
export class Lifecycle1763730000700 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table read.nodes add column disabled boolean not null default false, add column disabled_reason text, add column host jsonb;
      alter table live.heartbeats add column memory_total bigint, add column cpu_percent double precision, add column disk_free bigint, add column disk_total bigint;
      create table live.agents (node text primary key, host jsonb, upgrade jsonb);
      create table read.node_upgrades (
        node text primary key, id text not null, status text not null, version text not null, sha256 text not null, size bigint not null, from_version text,
        ordered_at timestamptz not null, ended_at timestamptz, code text, detail text);
      create index on read.node_upgrades (ordered_at) where status = 'ordered';`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table read.node_upgrades;
      drop table live.agents;
      alter table live.heartbeats drop column disk_total, drop column disk_free, drop column cpu_percent, drop column memory_total;
      alter table read.nodes drop column host, drop column disabled_reason, drop column disabled;`);
  }
}
