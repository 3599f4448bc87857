import { type ServerTraits, findServers } from './database-servers.ts';
import type { Finder } from './finder.port.ts';

const option = (args: readonly string[], name: string): string | undefined => {
  const at = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  return at < 0 ? undefined : (args[at]?.split('=').slice(1).join('=') || args[at + 1]);
};

const traits: ServerTraits = {
  kind: 'mysql',
  programs: ['mysqld', 'mariadbd'],
  directoryOf: ({ args }) => option(args, 'datadir'),
  portOf: ({ args }) => Number(option(args, 'port')) || undefined,
  socketPort: (path) => (/\/(mysqld?|mariadbd?)\.sock$/.test(path) ? 0 : undefined),
  usualPort: 3306,
  usualDirectories: async () => ['/var/lib/mysql'],
  look: async (host, directory) => {
    const names = new Set((await host.names(directory)).map(String));
    if (!names.has('ibdata1') && !names.has('mysql.ibd')) return undefined;
    const note = ['mariadb_upgrade_info', 'mysql_upgrade_info'].find((name) => names.has(name));
    const version = note && (await host.head(`${directory}/${note}`, 64))?.toString('utf8').trim();
    return { ...(version && /^[\w.-]{1,40}$/.test(version) ? { version } : {}) };
  },
};

/** MySQL and MariaDB servers and their data directories. */
export const mysqlFinder: Finder = { kind: 'mysql', find: (host) => findServers(host, traits) };
