import type { MigrationInterface, QueryRunner } from 'typeorm';
import { archiveDown, archiveUp } from '#event-store';

/** Makes the schema `archive` (the copy of the log, the checkpoint) and the empty schema `read`. */
export class CreateArchive1763730000100 implements MigrationInterface {
  readonly name = 'CreateArchive1763730000100';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of archiveUp) await runner.query(statement);
    await runner.query('create schema if not exists read');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema if exists read cascade');
    for (const statement of archiveDown) await runner.query(statement);
  }
}
