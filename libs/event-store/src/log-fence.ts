import type { NatsConnection } from 'nats';
import type { Clock } from '#kernel';
import { type LogCopies, checkLog, logDiverged } from './log-check.ts';

/** Keeps a master from writing into a log that is not the one its archive copied. */
export interface LogFence {
  /** Resolves when the log was compared since the connection was made; throws `log-diverged`, `foreign-event` or `log-unavailable`. */
  passed(): Promise<void>;
}

const againMs = 1_000;

/**
 * The fence of a connection: compares before the first use after every (re)connection, once for all who wait. A failed
 * comparison is made again after a second at the earliest, so that masters go on by themselves when the operator has acted.
 */
export const logFence = (connection: NatsConnection, copies: LogCopies, clock: Clock): LogFence => {
  let passedOn: string | undefined;
  let checking: Promise<void> | undefined;
  let failed: { readonly at: number; readonly error: unknown } | undefined;
  // The server numbers every connection: another number is another connection.
  const session = (): string => `${connection.info?.server_id ?? ''} ${connection.info?.client_id ?? ''}`;
  const check = async (): Promise<void> => {
    const checked = session();
    try {
      const found = await checkLog(copies);
      if (found.state !== 'agree') throw logDiverged(found);
      [passedOn, failed] = [checked, undefined];
    } catch (error) {
      failed = { at: clock.monotonic(), error };
      throw error;
    } finally {
      checking = undefined;
    }
  };
  return {
    passed: async () => {
      if (passedOn === session()) return;
      if (failed && clock.monotonic() - failed.at < againMs) throw failed.error;
      checking ??= check();
      await checking;
    },
  };
};
