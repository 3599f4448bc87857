import type { JsMsg } from 'nats';
import { type Clock, type Logger, inStep, isAppError, messageOf } from '#kernel';

/** How a delivery ended. `unconfirmed`: handled, and the server did not confirm the ack, so it will be delivered again. */
export type Outcome = 'acked' | 'unconfirmed' | 'retried' | 'terminated';

/** What settling needs. */
export interface SettleOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** `ack_wait` of the consumer in milliseconds: the server is told three times as often that work goes on. */
  readonly ackWaitMs: number;
  /** Longest delay before a redelivery in milliseconds. */
  readonly maxDelayMs: number;
  /** What the message came over: acks leave together with what else is sent there. */
  readonly connection?: object;
}

/** Kinds of error that the same message will meet again for ever. */
const permanent: ReadonlySet<string> = new Set(['validation', 'unauthorized', 'forbidden', 'not-found', 'refused']);

/** True for an error that no redelivery heals. A bug (any other error than an `AppError`) may be healed by an update. */
export const isPoison = (error: unknown): boolean => isAppError(error) && !error.retryable && permanent.has(error.kind);

/** Milliseconds before delivery `n + 1` (n from 1): doubles from a quarter of a second, and a fifth up or down by chance. */
export const redeliveryDelay = (deliveries: number, maxMs: number): number =>
  Math.round(Math.min(maxMs, 250 * 2 ** Math.min(deliveries - 1, 20)) * (0.8 + Math.random() * 0.4));

const keepAlive = async (message: JsMsg, { clock, ackWaitMs }: SettleOptions, signal: AbortSignal): Promise<void> => {
  for (;;) {
    await clock.sleep(ackWaitMs / 3, signal);
    message.working();
  }
};

/** Stream subject and position, for log lines. */
const place = (message: JsMsg) => ({ subject: message.subject, sequence: message.seq, deliveries: message.info.deliveryCount });

const confirm = async (message: JsMsg, { clock, log, connection }: SettleOptions): Promise<Outcome> => {
  try {
    if (connection) await inStep(connection, clock);
    await message.ackAck({ timeout: 5000 });
    return 'acked';
  } catch (error) {
    log.warn('The bus did not confirm an ack; the message will come again', { ...place(message), reason: messageOf(error) });
    return 'unconfirmed';
  }
};

const refuse = (message: JsMsg, error: unknown, { log, maxDelayMs }: SettleOptions): Outcome => {
  const code = isAppError(error) ? error.code : 'internal';
  if (isPoison(error)) {
    log.error('A message can never be handled; it is set aside', { ...place(message), code, reason: messageOf(error) });
    message.term(code);
    return 'terminated';
  }
  const delayMs = redeliveryDelay(message.info.deliveryCount, maxDelayMs);
  log.warn('A message could not be handled; it comes again', { ...place(message), code, reason: messageOf(error), delayMs });
  message.nak(delayMs);
  return 'retried';
};

/**
 * Runs the handler of one delivery and tells the server the outcome: a confirmed ack, a redelivery with a growing delay, or
 * termination when no redelivery would help. Never rejects.
 */
export const settle = async (message: JsMsg, handle: (message: JsMsg) => Promise<void>, options: SettleOptions): Promise<Outcome> => {
  const working = new AbortController();
  void keepAlive(message, options, working.signal).catch(() => undefined);
  try {
    await handle(message);
    return await confirm(message, options);
  } catch (error) {
    return refuse(message, error, options);
  } finally {
    working.abort();
  }
};
