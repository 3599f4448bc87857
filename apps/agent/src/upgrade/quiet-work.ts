import type { Clock, Logger } from '#kernel';
import type { AttemptKey } from '../attempts/attempt.state.ts';
import type { Scheduler } from '../attempts/scheduler.ts';
import type { Journal } from '../state/journal.ts';

interface QuietParts {
  readonly scheduler: Pick<Scheduler, 'activeKeys'>;
  readonly journal: Pick<Journal, 'get'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const everyMs = 1_000;

/**
 * Resolves when nothing runs that the next process could not take up: a backup is taken up where it stands, under the same claim; a
 * restore has to end first, because nobody knows what a half-done one has changed. The caller lets nothing new begin.
 */
export const quietWork = async ({ scheduler, journal, clock, logger }: QuietParts, signal: AbortSignal): Promise<void> => {
  const stuck = (): readonly AttemptKey[] => scheduler.activeKeys.filter((key) => journal.get(key)?.verb !== 'backup');
  if (stuck().length > 0) logger.info('The upgrade waits for work that could not be taken up again', { runs: stuck().map(({ run }) => run) });
  while (stuck().length > 0) await clock.sleep(everyMs, signal);
};
