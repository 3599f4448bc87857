import { execFile } from 'node:child_process';
import { access, constants, glob } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { fault } from '#kernel';

/** Older servers silently ignore the headers that atomic appends rest on. */
export const oldestNatsServer = '2.12.0';

const run = promisify(execFile);

/** The three numbers of a version in `text`; undefined when there is none. */
const numbersOf = (text: string): [number, number, number] | undefined => {
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : undefined;
};

/** True when the version in `text` (`nats-server: v2.15.1`, `2.12.0-beta`) is `oldestNatsServer` or newer. */
export const isNatsServerNewEnough = (text: string): boolean => {
  const [version, oldest] = [numbersOf(text), numbersOf(oldestNatsServer)];
  if (!version || !oldest) return false;
  for (let i = 0; i < 3; i++) if (version[i] !== oldest[i]) return Number(version[i]) > Number(oldest[i]);
  return true;
};

const versionOf = async (file: string): Promise<string | undefined> => {
  try {
    await access(file, constants.X_OK);
    const { stdout } = await run(file, ['--version'], { timeout: 10_000 });
    return isNatsServerNewEnough(stdout) ? stdout : undefined;
  } catch {
    return undefined;
  }
};

/** Where to look for the server's program. */
export interface NatsServerSearch {
  /** Value of PATH. */
  readonly path?: string | undefined;
  /** Folder whose `.tools` may hold one. */
  readonly projectRoot?: string | undefined;
  /** An explicit file (`HOLDFAST_NATS_SERVER`): taken before everything else, and an error when it is too old. */
  readonly explicit?: string | undefined;
}

/**
 * Full path of a nats-server of at least `oldestNatsServer`: the explicit one, else the first on PATH, else one under `.tools`.
 * Throws `nats-server-missing` with what to do.
 */
export const findNatsServer = async (search: NatsServerSearch): Promise<string> => {
  if (search.explicit) {
    if (await versionOf(search.explicit)) return search.explicit;
    throw fault('validation', 'nats-server-missing', `HOLDFAST_NATS_SERVER names no nats-server of ${oldestNatsServer} or newer; correct it or unset it`);
  }
  for (const folder of (search.path ?? '').split(delimiter).filter(Boolean)) {
    const file = join(folder, 'nats-server');
    if (await versionOf(file)) return file;
  }
  for await (const file of search.projectRoot ? glob(join(search.projectRoot, '.tools/**/nats-server')) : []) {
    if (await versionOf(file)) return file;
  }
  throw fault('unavailable', 'nats-server-missing', `No nats-server ${oldestNatsServer} or newer on PATH or under .tools; scripts/quickstart.sh fetches one`);
};
