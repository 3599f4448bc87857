import { closeSync, constants, existsSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { fault } from '#kernel';
import type { RestoreOptions } from '../restore.port.ts';
import { destinationTrouble } from './destination-trouble.ts';
import { fdPath } from './safe-tree.ts';

/** Opens the directory to restore into, made when missing (not for a dry run). Throws as `restoreWriter` says. */
export const openDestination = (options: RestoreOptions): number => {
  const path = Buffer.from(options.destination);
  let fd: number;
  try {
    if (!options.dryRun) mkdirSync(path, { recursive: true });
    fd = openSync(realpathSync(path, { encoding: 'buffer' }), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw destinationTrouble(error) ?? fault('validation', 'restore-destination-invalid', `${path.toString()} cannot be opened as a directory; choose another`, { cause: error });
  }
  if (existsSync(fdPath(fd))) return fd;
  closeSync(fd);
  throw fault('unavailable', 'restore-unsupported', 'A restore needs Linux with /proc mounted, as it could not be kept inside its directory without');
};
