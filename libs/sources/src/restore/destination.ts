import { closeSync, constants, existsSync, lstatSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fault } from '#kernel';
import type { RestoreOptions } from '../restore.port.ts';
import { destinationTrouble } from './destination-trouble.ts';
import { fdPath } from './safe-tree.ts';

const openDirectory = (path: Buffer | string): number => openSync(realpathSync(path, { encoding: 'buffer' }), constants.O_RDONLY | constants.O_DIRECTORY);

const isMissing = (path: Buffer): boolean => {
  try {
    lstatSync(path);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
};

/** What a dry run finds where nothing is yet: a directory that holds nothing and has no name any more. */
const openNothing = (): number => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-dry-run-'));
  try {
    return openDirectory(path);
  } finally {
    rmdirSync(path);
  }
};

/** Opens the directory to restore into, made when missing (not for a dry run). Throws as `restoreWriter` says. */
export const openDestination = (options: RestoreOptions): number => {
  const path = Buffer.from(options.destination);
  let fd: number;
  try {
    if (!options.dryRun) mkdirSync(path, { recursive: true });
    // With a file in its way it exists as little, and is not missing.
    fd = options.dryRun && isMissing(path) ? openNothing() : openDirectory(path);
  } catch (error) {
    throw destinationTrouble(error) ?? fault('validation', 'restore-destination-invalid', `${path.toString()} cannot be opened as a directory; choose another`, { cause: error });
  }
  if (existsSync(fdPath(fd))) return fd;
  closeSync(fd);
  throw fault('unavailable', 'restore-unsupported', 'A restore needs Linux with /proc mounted, as it could not be kept inside its directory without');
};
