import { isAppError } from '#kernel';

/** What the process says to its caller; scripts rely on these numbers. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, partial: 3, notFound: 4, refused: 5, cancelled: 130 } as const;

/** The exit code that an error deserves. */
export const exitCodeOf = (error: unknown): number => {
  if (!isAppError(error)) return exitCodes.failed;
  switch (error.kind) {
    case 'validation': return exitCodes.usage;
    case 'not-found': return exitCodes.notFound;
    case 'refused': case 'conflict': case 'stale': case 'forbidden': case 'unauthorized': return exitCodes.refused;
    case 'rate-limited': case 'unavailable': case 'internal': return exitCodes.failed;
  }
};
