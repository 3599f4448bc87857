import type { MigrationInterface, QueryRunner } from 'typeorm';

const vault = `
create table vault.idempotency_keys (
  sender text not null, key text not null, fingerprint text not null, begun_at timestamptz not null,
  status integer, sealed_answer bytea, primary key (sender, key));
create index on vault.idempotency_keys (begun_at);
create table vault.passwords ("user" text primary key, hash text not null);
create table vault.api_key_hashes (hash text primary key, api_key text not null);
create table vault.sessions (
  hash text primary key, "user" text not null, began_at timestamptz not null, expires_at timestamptz not null, "from" text);
create index on vault.sessions ("user");
create index on vault.sessions (expires_at);
create table vault.login_attempts (key text primary key, window_from timestamptz not null, failures integer not null);
create table vault.link_tokens (hash text primary key, link text not null, node text not null, expires_at timestamptz not null);
create table vault.target_secrets (id text primary key, target text not null, sealed bytea not null);
`;

const live = `
create table live.heartbeats (
  node text not null, instance text not null, first_seen timestamptz not null, last_seen timestamptz not null, skew_ms integer not null,
  hostname text not null, ip text not null, mac text not null, version text not null, load double precision not null,
  memory_free bigint, slots integer not null, running integer not null, primary key (node, instance));
create table live.disconnects (node text primary key, at timestamptz not null, reason text not null);
`;

const read = `
create table read.nodes (
  id text primary key, revision integer not null, name text not null, labels jsonb not null, slots integer not null,
  drained boolean not null, drain_reason text, added_at timestamptz not null, enrolled_at timestamptz, public_key text,
  recipient text, hostname text, platform text, arch text);
create index on read.nodes (name, id);
create table read.presence (
  node text primary key, status text not null, since timestamptz not null, instance text, version text, reason text,
  duplicate text, duplicate_hostname text);
create table read.credentials (
  id text primary key, node text not null, public_key text not null, status text not null, issued_at timestamptz not null,
  expires_at timestamptz not null, revoked_at timestamptz, reason text, sequence bigint not null, changed_at timestamptz not null);
create index on read.credentials (node);
create index on read.credentials (sequence);
create table read.targets (
  id text primary key, revision integer not null, name text not null, kind text not null, settings jsonb not null, secret text,
  added_at timestamptz not null, tested_at timestamptz, test jsonb);
create table read.users (
  id text primary key, revision integer not null, name text not null, role text not null, status text not null,
  created_at timestamptz not null, sessions_from timestamptz not null);
create index on read.users (lower(name));
create table read.api_keys (
  id text primary key, revision integer not null, name text not null, role text not null, status text not null,
  created_at timestamptz not null, created_by text not null, expires_at timestamptz);
`;

/** Tables of the platform and of the slices installation, nodes, presence, credentials, enrolment, targets and identity. */
export class Platform1763730000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const schema of ['read', 'live', 'vault']) await runner.query(`create schema if not exists ${schema}`);
    await runner.query(vault);
    await runner.query(live);
    await runner.query(read);
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = {
      read: ['api_keys', 'users', 'targets', 'credentials', 'presence', 'nodes'],
      live: ['disconnects', 'heartbeats'],
      vault: ['target_secrets', 'link_tokens', 'login_attempts', 'sessions', 'api_key_hashes', 'passwords', 'idempotency_keys'],
    };
    for (const [schema, names] of Object.entries(tables)) {
      for (const name of names) await runner.query(`drop table ${schema}.${name}`);
    }
  }
}
