import { type Clock, type Logger, isAppError, messageOf } from '#kernel';
import { Wakeup } from '../attempts/wakeup.ts';
import { backoffMs } from './ask-until-answered.ts';

/** Work that is done again and again as long as the agent lives. */
export interface Passes {
  /** One pass. Throws what stands in the way; the next pass begins where it was. */
  readonly pass: (signal: AbortSignal) => Promise<void>;
  /** Milliseconds until the next pass after one that went well. */
  readonly restMs: () => number;
  /** Ends a rest. */
  readonly wakeup?: Wakeup;
  /** What a failure means, for the log. */
  readonly failure: string;
  /** Failures in a row that are only for whoever debugs, as long as they are retryable. Default 4. */
  readonly quietFailures?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Repeats a pass until `signal` is aborted; after failures at growing intervals, half a minute at most. Never rejects. */
export const runPasses = async ({ pass, restMs, wakeup = new Wakeup(), failure, quietFailures = 4, clock, logger }: Passes, signal: AbortSignal): Promise<void> => {
  for (let failures = 0; !signal.aborted;) {
    try {
      await pass(signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      const level = isAppError(error) && error.retryable && failures <= quietFailures ? 'debug' : 'warn';
      logger[level](failure, { reason: messageOf(error) });
    }
    await wakeup.wait(clock, failures > 0 ? backoffMs(failures - 1) : restMs(), signal).catch(() => undefined);
  }
};
