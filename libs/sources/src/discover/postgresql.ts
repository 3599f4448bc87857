import { basename } from 'node:path';
import { type ServerTraits, findServers } from './database-servers.ts';
import type { HostView } from './host-view.ts';
import type { Finder } from './finder.port.ts';

/** The value of `-D dir`, `-Ddir`, or of `-c name=value` and `--name=value`. */
const option = (args: readonly string[], letter: string, name: string): string | undefined => {
  for (const [i, arg] of args.entries()) {
    if (arg === `-${letter}`) return args[i + 1];
    if (arg.startsWith(`-${letter}`) && arg.length > 2) return arg.slice(2);
    const setting = arg === '-c' ? args[i + 1] : arg.replace(/^(-c|--)/, '');
    if (setting?.startsWith(`${name}=`)) return setting.slice(name.length + 1);
  }
  return undefined;
};

const below = async (host: HostView, directory: string, then = ''): Promise<string[]> =>
  (await host.names(directory)).map((name) => `${directory}/${name.toString('utf8')}${then}`);

const usualDirectories = async (host: HostView): Promise<string[]> => {
  // Debian: /var/lib/postgresql/VERSION/CLUSTER; Red Hat: /var/lib/pgsql/data and /var/lib/pgsql/VERSION/data.
  const clusters = await Promise.all((await below(host, '/var/lib/postgresql')).map((version) => below(host, version)));
  return [...clusters.flat(), '/var/lib/pgsql/data', ...(await below(host, '/var/lib/pgsql', '/data')), '/var/lib/postgres/data'];
};

const traits: ServerTraits = {
  kind: 'postgresql',
  programs: ['postgres', 'postmaster'],
  // Its workers have rewritten their command line to "postgres: what they do".
  isServer: ({ args: [program = ''] }) => ['postgres', 'postmaster'].includes(basename(program)),
  directoryOf: ({ args }) => option(args, 'D', 'data_directory'),
  portOf: ({ args }) => Number(option(args, 'p', 'port')) || undefined,
  socketPort: (path) => Number(/\/\.s\.PGSQL\.(\d{1,5})$/.exec(path)?.[1]) || undefined,
  usualPort: 5432,
  usualDirectories,
  look: async (host, directory) => {
    const version = (await host.head(`${directory}/PG_VERSION`, 32))?.toString('utf8').trim();
    if (version === undefined || !/^\d{1,2}(\.\d)?$/.test(version)) return undefined;
    // https://www.postgresql.org/docs/current/storage-file-layout.html: number of the process first, port fourth.
    const lock = ((await host.head(`${directory}/postmaster.pid`, 4096))?.toString('utf8') ?? '').split('\n');
    const [pid, port] = [Number(lock[0]), Number(lock[3])];
    return { version, ...(pid > 0 ? { pid } : {}), ...(port > 0 ? { port } : {}) };
  },
};

/** PostgreSQL servers and their data directories. */
export const postgresqlFinder: Finder = { kind: 'postgresql', find: (host) => findServers(host, traits) };
