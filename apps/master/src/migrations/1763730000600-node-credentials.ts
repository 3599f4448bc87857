import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every key pair that a node had, with its rotations, in place of the shorter list; and the challenges of hosts that were away. */
export class NodeCredentials1763730000600 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table read.credentials;
      create table read.node_credentials (
        id text primary key, node text not null, public_key text not null, status text not null, first_issued_at timestamptz not null,
        issued_at timestamptz not null, expires_at timestamptz not null, expired boolean not null, rotation text,
        rotation_requested_at timestamptz, replaces text, successor text, grace_until timestamptz, revoked_at timestamptz, reason text,
        sequence bigint not null, changed_at timestamptz not null);
      create index on read.node_credentials (node);
      create index on read.node_credentials (sequence) where status = 'revoked';
      create index on read.node_credentials (grace_until) where status = 'rotated';
      create index on read.node_credentials (rotation_requested_at) where rotation_requested_at is not null;
      create index on read.node_credentials (expires_at) where status <> 'revoked' and not expired;
      create table vault.credential_challenges (nonce text primary key, node text not null, public_key text not null, expires_at timestamptz not null);
      create index on vault.credential_challenges (public_key);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table vault.credential_challenges;
      drop table read.node_credentials;
      create table read.credentials (
        id text primary key, node text not null, public_key text not null, status text not null, issued_at timestamptz not null,
        expires_at timestamptz not null, revoked_at timestamptz, reason text, sequence bigint not null, changed_at timestamptz not null);`);
  }
}
