import type { Discovery } from './discovery.ts';
import type { Finder } from './finder.port.ts';
import type { HostView } from './host-view.ts';

/** Where programs keep data; the whole host would take minutes. */
const places = ['/var/lib', '/srv', '/opt', '/home', '/root', '/var/www', '/data'];
/** Directories of other finders, and of packages: thousands of files and nobody's data. */
const skipped = new Set(['postgresql', 'pgsql', 'mysql', 'docker', 'containers', 'dpkg', 'apt', 'rpm', 'node_modules', '.cache', '.npm', '.cargo', '.rustup', '.git', 'holdfast-agent']);
const [deepest, mostDirectories, mostFiles] = [5, 2_000, 500];
const likely = /\.(db3?|sqlite3?|s3db)$/i;
/** https://www.sqlite.org/fileformat.html#magic_header_string */
const magic = Buffer.from('SQLite format 3\0', 'latin1');

const below = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, Buffer.from('/'), name]);

const databaseAt = async (host: HostView, path: Buffer): Promise<Discovery | undefined> => {
  const size = await host.size(path);
  if (size === undefined || size < 512 || !(await host.head(path, magic.length))?.equals(magic)) return undefined;
  return { kind: 'sqlite', path, size, sockets: [], ports: [], evidence: [{ by: 'file', detail: 'begins as a SQLite database does' }] };
};

const isEnough = (host: HostView, looked: number, found: number): boolean => looked >= mostDirectories || found >= mostFiles || host.isOver;

/** Databases of SQLite, by their names' ends and first bytes, in the places where programs keep data; nearest first. */
export const sqliteFinder: Finder = {
  kind: 'sqlite',
  find: async (host) => {
    const found: Discovery[] = [];
    let level: Buffer[] = places.map((place) => Buffer.from(place));
    let looked = 0;
    for (let depth = 0; depth <= deepest && level.length > 0; depth++) {
      const next: Buffer[] = [];
      for (const directory of level) {
        if (isEnough(host, looked, found.length)) {
          host.note('bounded', `SQLite databases were looked for in ${looked} directories; there are more`);
          return found;
        }
        looked += 1;
        for (const entry of await host.entries(directory)) {
          if (entry.directory && !skipped.has(entry.name.toString('utf8'))) next.push(below(directory, entry.name));
          if (!entry.file || !likely.test(entry.name.toString('latin1'))) continue;
          const database = await databaseAt(host, below(directory, entry.name));
          if (database) found.push(database);
        }
      }
      level = next;
    }
    return found;
  },
};
