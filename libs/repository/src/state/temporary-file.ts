import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** When a process began, in ticks since the system did; undefined when there is none of this number, or it is dead and not yet buried. */
const startOf = (pid: number | string): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Its name may hold anything; the last bracket ends it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ['Z', 'X'].includes(fields[0] ?? '') ? undefined : fields[19];
  } catch {
    return undefined;
  }
};

/** Where nothing tells when processes began, none but this one is known to live. */
const ownStart = startOf(process.pid) ?? '0';

/** A new path beside `name`, for what will take its place. It tells which process made it: see `removeAbandoned`. */
export const temporaryPath = (directory: string, name: string): string =>
  join(directory, `.${name}.${process.pid}-${ownStart}.${randomBytes(6).toString('hex')}`);

const shape = /^\.(?:known|id-key|manifest|manifest-parts|totals)\.(?:(\d+)-(\d+)\.)?[0-9a-f]{12}$/;

/** A number alone says little: it is given again, and in a container soon. */
const isAbandoned = (name: string): boolean => {
  const found = shape.exec(name);
  if (!found) return false;
  const [, pid = '', start] = found;
  return start !== (pid === String(process.pid) ? ownStart : startOf(pid) ?? '');
};

const removeIn = (directory: string): void => {
  for (const name of readdirSync(directory)) if (isAbandoned(name)) rmSync(join(directory, name), { force: true });
};

/**
 * Removes what killed attempts of this writer were writing, in a state directory and in those of its tasks. What a process writes that
 * still runs stays; processes that this one cannot see count for none: a state directory belongs to one host.
 */
export const removeAbandoned = (stateDir: string): void => {
  removeIn(stateDir);
  const tasks = join(stateDir, 'tasks');
  for (const entry of readdirSync(tasks, { withFileTypes: true })) if (entry.isDirectory()) removeIn(join(tasks, entry.name));
};
