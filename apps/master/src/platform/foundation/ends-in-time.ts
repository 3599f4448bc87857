import type { Clock, Logger } from '#kernel';

/** The longest that one part may take to end. */
const stopMs = 20_000;

/**
 * Ends a part and waits for it, at most 20 s: what does not end is named in the log and must not keep the others, and the process, from
 * their end. Everything of it that matters is in the log and the database already. Rejects as `end` does.
 */
export const endsInTime = async (part: string, end: () => Promise<unknown>, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }): Promise<void> => {
  const patience = new AbortController();
  const late = clock.sleep(stopMs, patience.signal).then(() => logger.error('a part does not end; it is left behind', { part }), () => undefined);
  try {
    await Promise.race([end(), late]);
  } finally {
    patience.abort();
  }
};
