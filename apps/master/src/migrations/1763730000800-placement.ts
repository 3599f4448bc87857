import type { MigrationInterface, QueryRunner } from 'typeorm';

const up = `
alter table read.runs alter column node drop not null;
alter table read.runs alter column repository drop not null;
alter table read.runs add column parent text, add column away jsonb, add column mode text, add column selector jsonb, add column child_count integer,
  add column children_waiting integer;
create index runs_parents_open on read.runs (requested_at, id) where mode is not null and ended_at is null;
create index runs_children on read.runs (parent, status) where parent is not null;
create index nodes_labels on read.nodes using gin (labels jsonb_path_ops);
`;

const down = `
drop index read.nodes_labels;
delete from read.runs where node is null;
alter table read.runs drop column parent, drop column away, drop column mode, drop column selector, drop column child_count, drop column children_waiting;
alter table read.runs alter column node set not null;
alter table read.runs alter column repository set not null;
`;

/** Parent runs and their children, beside the runs. The rows are made anew from the events, as their read models have new versions. */
export class Placement1763730000800 implements MigrationInterface {
  readonly name = 'Placement1763730000800';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(up);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(down);
  }
}
