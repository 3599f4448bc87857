import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which links were made at once. */
export class LinkBatches1763730001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table read.enrolment_links add column batch text; create index on read.enrolment_links (batch) where batch is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table read.enrolment_links drop column batch');
  }
}
