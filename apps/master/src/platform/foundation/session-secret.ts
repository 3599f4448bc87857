import type { Sql } from '#event-store';
import { type InstallationKeys, secretFingerprint } from '#identity';
import { type Clock, fault } from '#kernel';
import type { MasterConfig } from '../config/master.config.ts';

const name = 'session';

/** What signs session cookies: `SESSION_SECRET`, or the crypto secret of the keys folder. Keys are derived from it, never used as it is. */
export const sessionSecretOf = ({ sessionSecret }: Pick<MasterConfig, 'sessionSecret'>, { cryptoSecret }: Pick<InstallationKeys, 'cryptoSecret'>): Uint8Array =>
  sessionSecret === undefined ? cryptoSecret : Buffer.from(sessionSecret);

/**
 * The first master of an installation leaves a fingerprint of its session secret in the schema `vault`; any other one compares its own.
 * Throws `session-secret-differs`: behind one load balancer each would refuse the log-ins of the other.
 */
export const checkSessionSecret = async (sql: Sql, secret: Uint8Array, clock: Clock): Promise<void> => {
  const own = secretFingerprint(secret, name);
  await sql.query(
    'insert into vault.secret_fingerprints (name, fingerprint, since) values ($1, $2, $3) on conflict do nothing', [name, own, new Date(clock.now())]);
  const { rows } = await sql.query('select fingerprint from vault.secret_fingerprints where name = $1', [name]);
  const [known] = rows as { readonly fingerprint: string }[];
  if (known?.fingerprint !== own) {
    throw fault('conflict', 'session-secret-differs',
      'The session secret of this master is not that of the others: give all of them the same SESSION_SECRET (without one: the same keys folder), or change it for all as the runbook session-secret says');
  }
};

/** Makes `secret` the one that masters must have from their next start on. Log-ins of before end with it. */
export const replaceSessionSecret = async (sql: Sql, secret: Uint8Array, clock: Clock): Promise<void> => {
  await sql.query(
    'insert into vault.secret_fingerprints (name, fingerprint, since) values ($1, $2, $3) on conflict (name) do update set fingerprint = $2, since = $3',
    [name, secretFingerprint(secret, name), new Date(clock.now())]);
};
