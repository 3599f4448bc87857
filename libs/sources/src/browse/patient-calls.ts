import { type Clock } from '#kernel';

/** As the system itself would say it. */
class LateCall extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * Runs a call into the file system and gives up on it when `deadline` (of `clock.monotonic`) passes: rejects with the code `ETIMEDOUT`.
 * What hangs (a network file system whose server is away) cannot be ended; it keeps its place until it returns, and the process goes on.
 */
export type PatientCall = <T>(work: () => Promise<T>, deadline: number) => Promise<T>;

/** Of the four threads that Node has for such calls, so many may hang; the others stay free for the rest of the process. */
const places = 2;

/** One for the process: the places are those of the threads. */
export const patientCalls = (clock: Clock): PatientCall => {
  let free = places;
  const waiting = new Set<() => void>();
  const release = (): void => {
    const [next] = waiting;
    if (!next) return void (free += 1);
    waiting.delete(next);
    next();
  };
  const place = async (late: Promise<never>): Promise<void> => {
    if (free > 0) return void (free -= 1);
    const { promise: turn, resolve: mine } = Promise.withResolvers<void>();
    waiting.add(mine);
    await Promise.race([turn, late]).catch((error: unknown) => {
      // Given up in the same moment as the turn came: it is the next one's.
      if (!waiting.delete(mine)) release();
      throw error;
    });
  };
  return async (work, deadline) => {
    const patience = new AbortController();
    const late = clock.sleep(Math.max(0, deadline - clock.monotonic()), patience.signal).then(() => { throw new LateCall('It did not answer in time'); });
    late.catch(() => undefined);
    try {
      await place(late);
      const call = work().finally(release);
      call.catch(() => undefined);
      return await Promise.race([call, late]);
    } finally {
      patience.abort();
    }
  };
};
