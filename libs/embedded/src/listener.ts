import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';

const listening = '0A';

/** Sockets of IPv4; those of IPv6 that listen on every address take IPv4 too. */
const tables = ['/proc/net/tcp', '/proc/net/tcp6'];

const rowsOf = (table: string): string[][] => readFileSync(table, 'utf8').split('\n').map((line) => line.trim().split(/\s+/));

/** Inodes of the sockets that listen on a TCP port; undefined where the system does not tell. */
const listenersOf = (port: number): ReadonlySet<string> | undefined => {
  try {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const rows = tables.filter((table) => existsSync(table)).flatMap(rowsOf);
    if (rows.length === 0) return undefined;
    return new Set(rows.filter(([, local, , state]) => state === listening && local?.endsWith(`:${hex}`)).map((row) => row[9] ?? ''));
  } catch {
    return undefined;
  }
};

const linkOf = (file: string): string => {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
};

/**
 * True when the process itself listens on the TCP port (proc(5): `/proc/net/tcp` and the sockets among its open files), so that
 * an answer there is its own and not of a program that was there first. True also where the system does not tell.
 */
export const listensOn = (pid: number, port: number): boolean => {
  const sockets = listenersOf(port);
  if (!sockets) return true;
  let files: string[];
  try {
    files = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
  return files.some((name) => sockets.has(/^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${name}`))?.[1] ?? 'none'));
};
