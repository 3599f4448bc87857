import { readdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set<string>();
const remove = (dir: string): void => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
process.once('exit', () => made.forEach(remove));

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Folders of processes that were killed; their names carry the process id. */
const removeLeftovers = (): void => {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^holdfast-test-(\d+)-/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) remove(join(tmpdir(), name));
  }
};

/** A new empty folder, removed at the end of the process at the latest, or by a later test when this process was killed. */
export const tempDir = async (prefix = 'dir'): Promise<string> => {
  if (made.size === 0) removeLeftovers();
  const dir = await mkdtemp(join(tmpdir(), `holdfast-test-${process.pid}-${prefix}-`));
  made.add(dir);
  return dir;
};

/** Removes a folder of `tempDir` now. */
export const removeTempDir = (dir: string): void => {
  remove(dir);
  made.delete(dir);
};
