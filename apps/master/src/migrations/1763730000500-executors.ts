import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each master says how long it is to be believed alive; of one that does not say so its last sign of life counts, as before. */
export class Executors1763730000500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table live.executors add column believed_until timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table live.executors drop column believed_until');
  }
}
