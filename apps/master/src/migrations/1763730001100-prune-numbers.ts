import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the last prune of a repository counted. */
export class PruneNumbers1763730001100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table read.repositories add column stored_bytes bigint, add column live_plain_bytes bigint, add column kept_plain_bytes bigint');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table read.repositories drop column kept_plain_bytes, drop column live_plain_bytes, drop column stored_bytes');
  }
}
