import { ErrorCode, NatsError, type NatsConnection } from 'nats';
import { type AppError, type Clock, fault, inStep } from '#kernel';
import { type StoredEvent, ownHeaders } from './codec.ts';
import { eventsStream } from './subject.ts';

/** What the stream says of itself. */
export interface LogInfo {
  /** RFC 3339; another one means that somebody deleted the stream and made it again. */
  readonly created: string;
  /** Sequence of its last message; 0 when it is empty. */
  readonly last: number;
}

/** Reads of the stream's leader: never older than the last acknowledged append. Each rejects with `log-unavailable` after its timeout. */
export interface LogReader {
  /** The last event of the subject; undefined when there is none. */
  last(subject: string): Promise<StoredEvent | undefined>;
  /** The first event of the subject at `sequence` or after it. */
  next(subject: string, sequence: number): Promise<StoredEvent | undefined>;
  /** The event at `sequence`. */
  at(sequence: number): Promise<StoredEvent | undefined>;
  info(): Promise<LogInfo>;
}

/** The bus or the log does not answer: the same call may succeed later. */
export const logUnavailable = (cause: unknown): AppError =>
  fault('unavailable', 'log-unavailable', 'The event log does not answer now; try again in a moment', { cause });

/** True for errors of the client that say nothing about the request itself. */
export const isConnectionTrouble = (error: unknown): boolean =>
  error instanceof NatsError && [
    ErrorCode.NoResponders, ErrorCode.Timeout, ErrorCode.ConnectionClosed, ErrorCode.ConnectionDraining, ErrorCode.ConnectionRefused,
    ErrorCode.ConnectionTimeout, ErrorCode.Disconnect, ErrorCode.JetStream404NoMessages,
  ].includes(error.code as ErrorCode);

interface Answer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}
interface MessageAnswer extends Answer {
  readonly message?: { readonly subject: string; readonly seq: number; readonly hdrs?: string; readonly data?: string };
}
interface InfoAnswer extends Answer {
  readonly created?: string;
  readonly state?: { readonly last_seq: number };
}

const noMessage = 10037;

const decodeBase64 = (text: string | undefined): string => (text ? Buffer.from(text, 'base64').toString('utf8') : '');

/** The lines `Name: value` of a header block; the first line is the protocol's. */
function* headerLines(block: string): Generator<readonly [string, string]> {
  for (const line of block.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) yield [line.slice(0, colon), line.slice(colon + 1).trim()];
  }
}

const storedOf = (message: NonNullable<MessageAnswer['message']>): StoredEvent => ({
  sequence: message.seq,
  subject: message.subject,
  headers: ownHeaders(headerLines(decodeBase64(message.hdrs))),
  data: decodeBase64(message.data),
});

/** How often a read is asked before it counts as unanswered: what is asked while the connection is away is lost without a word. */
const tries = 4;

/** A reader over the connection; each of the four tries of a read may take `timeoutMs`. */
export const logReader = (connection: NatsConnection, clock: Clock, timeoutMs = 1_000): LogReader => {
  const ask = async <A extends Answer>(operation: string, request: object): Promise<A> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await inStep(connection, clock);
        const reply = await connection.request(`$JS.API.STREAM.${operation}.${eventsStream}`, JSON.stringify(request), { timeout: timeoutMs });
        return JSON.parse(reply.string()) as A;
      } catch (cause) {
        const unanswered = cause instanceof NatsError && cause.code === (ErrorCode.Timeout as string);
        if (!unanswered || attempt >= tries) throw logUnavailable(cause);
      }
    }
  };
  const read = async (request: object): Promise<StoredEvent | undefined> => {
    const { message, error } = await ask<MessageAnswer>('MSG.GET', request);
    if (message) return storedOf(message);
    if (error?.err_code === noMessage) return undefined;
    throw logUnavailable(error);
  };
  return {
    last: (subject) => read({ last_by_subj: subject }),
    next: (subject, sequence) => read({ seq: sequence, next_by_subj: subject }),
    at: (sequence) => read({ seq: sequence }),
    info: async () => {
      const { created, state, error } = await ask<InfoAnswer>('INFO', {});
      if (created === undefined || !state) throw logUnavailable(error);
      return { created, last: state.last_seq };
    },
  };
};
