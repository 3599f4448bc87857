import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const listening = '0A';

/** Inodes of the sockets that listen on a TCP port over IPv4; undefined where the system does not tell. */
const listenersOf = (port: number): ReadonlySet<string> | undefined => {
  try {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/));
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
 * True when the process itself listens on the TCP port over IPv4 (proc(5): `/proc/net/tcp` and the sockets among its open files), so that
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
