import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from '#kernel';

/** Where nothing tells when processes began, none but this one is known to live. */
const ownStart = processStart(process.pid) ?? '0';

/** A new path beside `name`, for what will take its place. It tells which process made it: see `removeAbandoned`. */
export const temporaryPath = (directory: string, name: string): string =>
  join(directory, `.${name}.${process.pid}-${ownStart}.${randomBytes(6).toString('hex')}`);

const shape = /^\.(?:known|id-key|manifest|manifest-parts|totals)\.(?:(\d+)-(\d+)\.)?[0-9a-f]{12}$/;

const isAbandoned = (name: string): boolean => {
  const found = shape.exec(name);
  if (!found) return false;
  const [, pid = '', start] = found;
  return start !== (pid === String(process.pid) ? ownStart : processStart(pid) ?? '');
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
