import { readFileSync } from 'node:fs';

/** Names of users and groups, so that a restore on another host can tell who was meant. */
export interface HostNames {
  user(uid: number): string | undefined;
  group(gid: number): string | undefined;
}

/** Reads `/etc/passwd` and `/etc/group` once. Users known only to a directory service have no name here: their number still counts. */
export const hostNames = (passwd = '/etc/passwd', group = '/etc/group'): HostNames => {
  const users = namesById(passwd);
  const groups = namesById(group);
  return { user: (uid) => users.get(uid), group: (gid) => groups.get(gid) };
};

/** `name:password:id:...` lines; the first name of an id counts, as for the system itself. */
const namesById = (file: string): ReadonlyMap<number, string> => {
  const names = new Map<number, string>();
  for (const line of readOrEmpty(file).split('\n')) {
    const [name, , id] = line.split(':');
    if (!name || !id || !/^\d+$/.test(id) || names.has(Number(id))) continue;
    names.set(Number(id), name);
  }
  return names;
};

/** A host without the file has numbers only. */
const readOrEmpty = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
