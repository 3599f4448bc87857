import { type LogReader, readCheckpoint } from '#event-store';
import type { Clock, Logger } from '#kernel';
import type { Progress } from './progress.ts';
import type { Session } from './session.ts';

/** What a waiting master works with. */
export interface StandByParts {
  readonly progress: Progress;
  readonly reader: LogReader;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lookMs: number;
  readonly stalledMs: number;
}

/** Waits for what happens first: time, or the end of the signal. Never rejects. */
export const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> => clock.sleep(ms, signal).catch(() => undefined);

const breakIfBehind = async (session: Session, { reader, progress, logger }: StandByParts): Promise<void> => {
  const { last } = await reader.info().catch(() => ({ last: 0 }));
  if (last <= progress.position) return;
  logger.warn('The projecting master stands still; its lock is broken', { position: progress.position, last });
  await session.breakLock();
};

/**
 * Waits for the lock, learning of the progress of whoever holds it; a holder that stands still beside a growing log loses it. True
 * when the lock is ours, false when `end` came first. `looked` is called after every look that did not get the lock.
 */
export const untilLocked = async (session: Session, end: AbortSignal, parts: StandByParts, looked: () => void): Promise<boolean> => {
  const { progress, clock, lookMs, stalledMs } = parts;
  let [moved, since] = [progress.position, clock.monotonic()];
  while (!end.aborted) {
    if (await session.tryLock()) return true;
    progress.reached((await readCheckpoint(session.client)).sequence);
    looked();
    if (progress.position !== moved) [moved, since] = [progress.position, clock.monotonic()];
    if (clock.monotonic() - since > stalledMs) {
      since = clock.monotonic();
      await breakIfBehind(session, parts);
    }
    await pause(clock, lookMs, end);
  }
  return false;
};
