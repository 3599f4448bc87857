import type { Answer, AskMethod } from '#contracts';
import { type Clock, type Logger, isAppError, messageOf } from '#kernel';
import { Wakeup } from '../attempts/wakeup.ts';
import type { AskClient, Question } from './ask-client.port.ts';

/** Milliseconds before attempt `n` (0 for the first repetition): doubles to half a minute, and up to a third less by chance. */
export const backoffMs = (n: number, random: () => number = Math.random): number =>
  Math.round(Math.min(500 * 2 ** Math.min(n, 10), 30_000) * (1 - random() / 3));

export interface PatientAsk {
  readonly client: AskClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const isFinal = <T>(answer: Answer<T>): boolean => answer.status !== 'refused' || !answer.retryable;

/**
 * Asks until there is an answer that more asking would not change: the bus may be away for minutes. Begins anew with short pauses when
 * it is back. Rejects with the signal's reason when that is aborted, and with errors that are not retryable.
 */
export const askUntilAnswered = async <T>({ client, clock, logger, signal }: PatientAsk, method: AskMethod, question: Question): Promise<Answer<T>> => {
  const id = client.nextId();
  const bell = new Wakeup();
  let tries = 0;
  const forget = client.onBack(() => {
    tries = 0;
    bell.signal();
  });
  try {
    for (;;) {
      signal.throwIfAborted();
      try {
        const answer = await client.ask<T>(method, { ...question, id }, { signal });
        if (isFinal(answer)) return answer;
        logger.debug('A master asks to come back later', { method, code: 'code' in answer ? answer.code : undefined });
      } catch (error) {
        signal.throwIfAborted();
        if (!isAppError(error) || !error.retryable) throw error;
        logger.debug('No answer yet', { method, reason: messageOf(error) });
      }
      await bell.wait(clock, backoffMs(tries++), signal);
    }
  } finally {
    forget();
  }
};
