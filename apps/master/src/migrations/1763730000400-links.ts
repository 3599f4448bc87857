import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Enrolment links as the interfaces show them, and by what masters see that they hold the same secrets. */
export class Links1763730000400 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table read.enrolment_links (
        id text primary key, node text not null, status text not null, issued_at timestamptz not null, expires_at timestamptz not null,
        consumed_at timestamptz);
      create index on read.enrolment_links (issued_at desc, id desc);
      create index on read.enrolment_links (expires_at) where status = 'open';
      create table vault.secret_fingerprints (name text primary key, fingerprint text not null, since timestamptz not null);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table read.enrolment_links');
    await runner.query('drop table vault.secret_fingerprints');
  }
}
