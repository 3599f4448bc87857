import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { type TestPostgres, startPostgres } from '#testing';
import { patientCalls } from '../browse/patient-calls.ts';
import { discover } from './discover.ts';
import type { Discovery } from './discovery.ts';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'host-')); });
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, content: string | Buffer = ''): void => {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), content);
};
/** A process, as `/proc` shows it to somebody who may not look into it; `sockets` are the inodes of its descriptors, where one may. */
const run = (pid: number, { name, args, cgroup = '0::/', sockets = [] }: { name: string; args: readonly string[]; cgroup?: string; sockets?: readonly string[] }): void => {
  put(`/proc/${pid}/comm`, `${name}\n`);
  put(`/proc/${pid}/cmdline`, `${args.join('\0')}\0`);
  put(`/proc/${pid}/cgroup`, cgroup);
  if (sockets.length > 0) mkdirSync(join(root, `/proc/${pid}/fd`));
  sockets.forEach((inode, i) => symlinkSync(`socket:[${inode}]`, join(root, `/proc/${pid}/fd/${i}`)));
};
const listen = (sockets: readonly string[], ports: readonly number[] = []): void => {
  put('/proc/net/unix', ['head', ...sockets.map((path, i) => `0: 00000002 00000000 00010000 0001 01 ${100 + i} ${path}`)].join('\n'));
  put('/proc/net/tcp', ['head', ...ports.map((port, i) =>
    ` 0: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 ${200 + i} 1`)].join('\n'));
};
const look = () => discover({ clock: systemClock, call: patientCalls(systemClock), root });
const shown = ({ path, evidence, ...rest }: Discovery) => ({ ...rest, ...(path ? { path: path.toString() } : {}), by: evidence.map(({ by }) => by) });
const found = async () => (await look()).found.map(shown);

describe('what is found on a host', () => {
  it('nothing on an empty one, and nothing is noted', async () => {
    expect(await look()).toEqual({ found: [], notes: [] });
  });

  it('a PostgreSQL server is one thing: its process, data directory, socket and port belong together by what they say', async () => {
    const data = '/var/lib/postgresql/17/main';
    run(7, { name: 'postgres', args: ['/usr/lib/postgresql/17/bin/postgres', '-D', data, '-c', 'config_file=/etc/postgresql/17/main/postgresql.conf'] });
    run(8, { name: 'postgres', args: ['postgres: checkpointer '] });
    put(`${data}/PG_VERSION`, '17\n');
    put(`${data}/postmaster.pid`, `7\n${data}\n1700000000\n5433\n/run/postgresql\nlocalhost\n\nready\n`);
    listen(['/run/postgresql/.s.PGSQL.5433', '/run/other.sock'], [5433, 22]);
    expect(await found()).toEqual([{
      kind: 'postgresql', version: '17', running: true, path: data, sockets: ['/run/postgresql/.s.PGSQL.5433'], ports: ['127.0.0.1:5433'],
      by: ['process', 'directory', 'socket', 'port'],
    }]);
  });

  it('what nothing joins stays apart, and a port alone is not said to be a database that runs', async () => {
    put('/var/lib/postgresql/15/old/PG_VERSION', '15\n');
    listen(['/tmp/.s.PGSQL.6000'], [5432, 3306]);
    expect(await found()).toEqual([
      { kind: 'postgresql', version: '15', path: '/var/lib/postgresql/15/old', sockets: [], ports: [], by: ['directory'] },
      { kind: 'postgresql', running: true, sockets: ['/tmp/.s.PGSQL.6000'], ports: [], by: ['socket'] },
      { kind: 'postgresql', sockets: [], ports: ['127.0.0.1:5432'], by: ['port'] },
      { kind: 'mysql', sockets: [], ports: ['127.0.0.1:3306'], by: ['port'] },
    ]);
    expect((await look()).found.at(-1)?.evidence[0]?.detail).toContain('nobody was asked');
  });

  it('a lock that a killed server left behind does not make it run, nor does it claim somebody else\'s port', async () => {
    put('/var/lib/pgsql/data/PG_VERSION', '16');
    put('/var/lib/pgsql/data/postmaster.pid', '99\n/var/lib/pgsql/data\n1\n5432\n');
    listen([], [5432]);
    expect(await found()).toMatchObject([{ path: '/var/lib/pgsql/data', ports: [] }, { ports: ['127.0.0.1:5432'] }]);
  });

  it('MariaDB with its socket by the process that holds it, two servers side by side', async () => {
    run(20, { name: 'mariadbd', args: ['/usr/sbin/mariadbd', '--datadir=/srv/one'], sockets: ['100', '200'] });
    run(21, { name: 'mysqld', args: ['mysqld', '--datadir', '/srv/two', '--port=3307'], sockets: ['101'] });
    put('/srv/one/ibdata1');
    put('/srv/one/mariadb_upgrade_info', '10.11.6-MariaDB');
    put('/srv/two/mysql.ibd');
    listen(['/run/one.sock', '/run/mysqld/mysqld.sock'], [3306]);
    expect(await found()).toEqual([
      { kind: 'mysql', version: '10.11.6-MariaDB', running: true, path: '/srv/one', sockets: ['/run/one.sock'], ports: ['127.0.0.1:3306'], by: ['process', 'directory', 'socket', 'port'] },
      { kind: 'mysql', running: true, path: '/srv/two', sockets: ['/run/mysqld/mysqld.sock'], ports: [], by: ['process', 'directory', 'socket'] },
    ]);
  });

  it('a server in a container is named with the container, and its paths are not taken for those of the host', async () => {
    const id = 'ab'.repeat(32);
    run(30, { name: 'postgres', args: ['postgres', '-D', '/var/lib/postgresql/data'], cgroup: `0::/system.slice/docker-${id}.scope` });
    put('/var/lib/docker/volumes/shop_db/_data/x');
    put('/var/lib/docker/volumes/metadata.db', 'x');
    expect(await found()).toEqual([
      { kind: 'postgresql', running: true, container: id, sockets: [], ports: [], by: ['process'] },
      { kind: 'docker-volume', path: '/var/lib/docker/volumes/shop_db/_data', sockets: [], ports: [], by: ['directory'] },
    ]);
  });

  it('SQLite by its first bytes, not by its name alone; links are not followed; SAP HANA by its directories', async () => {
    mkdirSync(join(root, 'srv/app'), { recursive: true });
    const database = new DatabaseSync(join(root, 'srv/app/shop.sqlite3'));
    database.exec('create table t (a)');
    database.close();
    put('/srv/app/not.db', 'x'.repeat(600));
    put('/srv/node_modules/dep/x.db', 'SQLite format 3\0'.padEnd(600));
    symlinkSync(join(root, 'srv/app'), join(root, 'srv/link'));
    symlinkSync('shop.sqlite3', join(root, 'srv/app/link.db'));
    execFileSync('mkfifo', [join(root, 'srv/app/pipe.db')]);
    mkdirSync(join(root, 'usr/sap/HXE/HDB90'), { recursive: true });
    expect(await found()).toMatchObject([{ kind: 'saphana', path: '/usr/sap/HXE/HDB90' }, { kind: 'sqlite', path: '/srv/app/shop.sqlite3', size: 8192, by: ['file'] }]);
  });

  it('a pipe in a directory that a process names holds nobody up', async () => {
    run(40, { name: 'postgres', args: ['postgres', '-D', '/tmp/evil'] });
    mkdirSync(join(root, 'tmp/evil'), { recursive: true });
    execFileSync('mkfifo', [join(root, 'tmp/evil/PG_VERSION')]);
    expect(await found()).toMatchObject([{ kind: 'postgresql', running: true, path: '/tmp/evil', by: ['process'] }]);
  });
});

describe('on this machine', () => {
  let postgres: TestPostgres;
  beforeAll(async () => { postgres = await startPostgres(); });
  afterAll(() => postgres?.stop());

  it('finds a PostgreSQL that really runs, without a password', async () => {
    const { found: all } = await discover({ clock: systemClock, call: patientCalls(systemClock) });
    const port = Number(new URL(postgres.url).port);
    const mine = all.find(({ kind, ports }) => kind === 'postgresql' && ports.some((address) => address.endsWith(`:${port}`)));
    expect(mine).toMatchObject({ running: true, version: expect.stringMatching(/^\d+$/) as string });
    expect(mine?.evidence.map(({ by }) => by)).toEqual(expect.arrayContaining(['process', 'directory', 'port']));
    expect(JSON.stringify(all)).not.toContain(new URL(postgres.url).password || 'no password at all');
  });
});
