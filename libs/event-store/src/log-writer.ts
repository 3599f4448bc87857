import { randomBytes } from 'node:crypto';
import { type MsgHdrs, type NatsConnection, headers as natsHeaders } from 'nats';
import { type Clock, fault, inStep } from '#kernel';
import type { NewEvent } from './codec.ts';
import { isConnectionTrouble } from './log-reader.ts';

/** One message to write, with what must be true for it. */
export interface Write {
  readonly event: NewEvent;
  /** Further headers, such as expectations. */
  readonly expect: Readonly<Record<string, string>>;
}

/**
 * What became of a write. `stored`: the sequence of the last message. `duplicate`: an id of it was stored before. `conflict`: an
 * expectation does not hold. `busy`: nothing was stored, later perhaps. `unknown`: nobody answered; it may have been stored.
 */
export type WriteOutcome =
  | { readonly status: 'stored'; readonly sequence: number }
  | { readonly status: 'conflict' | 'duplicate' | 'busy' }
  | { readonly status: 'unknown'; readonly cause: unknown };

interface PublishAnswer {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

/** Wrong last sequence: on one replica, and on three with another write in flight. */
const conflictCodes = new Set([10071, 10164]);
/** An id of the batch was stored before. */
const duplicateInBatch = 10201;
/** Too many batches in flight; batch incomplete, sequence missing or id unknown (a part was lost on the way); too many requests. */
const busyCodes = new Set([10175, 10176, 10210, 10211, 10167]);

const outcomeOf = ({ seq, duplicate, error }: PublishAnswer): WriteOutcome => {
  if (seq !== undefined && !error) return duplicate ? { status: 'duplicate' } : { status: 'stored', sequence: seq };
  const { code: kind, err_code: code } = { err_code: 0, ...error, code: error?.code ?? 0 };
  if (code === duplicateInBatch) return { status: 'duplicate' };
  if (conflictCodes.has(code)) return { status: 'conflict' };
  if (busyCodes.has(code) || kind === 503 || kind === 429) return { status: 'busy' };
  throw fault('internal', 'append-refused', 'The event log refused the append; see the log of the master', { internal: JSON.stringify(error) });
};

const headersOf = ({ event, expect }: Write, more: Readonly<Record<string, string>> = {}): MsgHdrs => {
  const all = natsHeaders();
  for (const part of [event.headers, expect, more]) for (const name of Object.keys(part)) all.append(name, part[name] ?? '');
  return all;
};

/**
 * Writes one message, or several as one atomic batch, and says what became of it. Throws `append-refused` for what no retry cures.
 * At most 1,000 messages.
 */
export type LogWriter = (writes: readonly [Write, ...Write[]]) => Promise<WriteOutcome>;

/** A writer over the connection; after `timeoutMs` the outcome is unknown. */
export const logWriter = (connection: NatsConnection, clock: Clock, timeoutMs = 2_000): LogWriter => async (writes) => {
  const last = writes.length - 1;
  const batch = last === 0 ? undefined : randomBytes(12).toString('hex');
  const batchHeaders = (index: number): Record<string, string> =>
    batch === undefined ? {} : {
      'Nats-Batch-Id': batch, 'Nats-Batch-Sequence': String(index + 1), ...(index === last ? { 'Nats-Batch-Commit': '1' } : {}),
    };
  try {
    await inStep(connection, clock);
    for (const [index, write] of writes.slice(0, last).entries()) {
      connection.publish(write.event.subject, write.event.data, { headers: headersOf(write, batchHeaders(index)) });
    }
    const final = writes[last] ?? writes[0];
    const reply = await connection.request(final.event.subject, final.event.data, {
      headers: headersOf(final, batchHeaders(last)), timeout: timeoutMs,
    });
    return outcomeOf(JSON.parse(reply.string()) as PublishAnswer);
  } catch (cause) {
    if (isConnectionTrouble(cause)) return { status: 'unknown', cause };
    throw cause;
  }
};
