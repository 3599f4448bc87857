import { statfsSync } from 'node:fs';
import { AppError, fault, messageOf } from '#kernel';
import type { DestinationPlaces, FileTicket } from '../restore.port.ts';
import type { SourceFault } from '../source.port.ts';
import { fdPath, type SafeTree } from './safe-tree.ts';

const again = 'then restore again with mode if-changed, which leaves alone what is whole';

const byCode: Readonly<Record<string, () => AppError>> = {
  ENOSPC: () => fault('unavailable', 'restore-destination-full', `The file system of the destination has no space left; make some, ${again}`),
  EDQUOT: () => fault('unavailable', 'restore-destination-full', `The quota of the destination is used up; raise it or make space, ${again}`),
  EROFS: () => fault('refused', 'restore-destination-read-only', `The destination is mounted read-only; mount it for writing or choose another, ${again}`),
  EACCES: () => fault('forbidden', 'restore-destination-denied', `This user may not write here; restore as one who may or to another place, ${again}`),
};

/** What the system says of the destination itself, and not of one entry, as an error with a code of its own; undefined for all else. */
export const destinationTrouble = (error: unknown): AppError | undefined => byCode[String((error as { code?: unknown } | null)?.code)]?.();

/** An entry that nobody honest wrote. */
export const hostile = (why: string): AppError =>
  fault('refused', 'hostile-entry', `The snapshot holds an entry that may not be restored: ${why}`);

/** Our own codes are told on, also of errors that crossed from another thread; the system's are in the message. */
const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[a-z][a-z0-9-]+$/.test(code) ? code : 'not-restored';
};

/** What is told of an entry that could not be restored. */
export const restoreFault = (path: Buffer, error: unknown): SourceFault => {
  const known = destinationTrouble(error) ?? error;
  return { path: Buffer.from(path), code: codeOf(known), detail: known instanceof AppError ? known.detail : messageOf(known) };
};

/**
 * Remembers what the destination refused, so that nothing is fetched for a file that cannot be written. On a full file system what is
 * smaller than the rest of it is still tried; after the other troubles nothing in the same directory.
 */
export class ClosedPlaces implements DestinationPlaces {
  private readonly tree: SafeTree;
  private readonly closed = new Map<string, AppError>();
  private full: AppError | undefined;

  constructor(tree: SafeTree) {
    this.tree = tree;
  }

  /** Tells what writing a file met. */
  note({ directory }: FileTicket, error: unknown): void {
    const trouble = destinationTrouble(error);
    if (trouble && (error as { code?: unknown }).code === 'ENOSPC') this.full = trouble;
    else if (trouble) this.closed.set(directory, trouble);
  }

  /** Why a file cannot be written now; undefined where it can be tried. */
  refusal({ directory, size }: FileTicket): AppError | undefined {
    const closed = this.closed.get(directory);
    if (closed || !this.full) return closed;
    const { bsize, bavail, bfree } = statfsSync(fdPath(this.tree.directory(directory)));
    return size > bsize * (process.getuid?.() === 0 ? bfree : bavail) ? this.full : undefined;
  }
}
