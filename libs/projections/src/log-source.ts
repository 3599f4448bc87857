import { AckPolicy, type Consumer, DeliverPolicy, type JsMsg, type NatsConnection, nanos } from 'nats';
import { type StoredEvent, eventsStream, logUnavailable, ownHeaders } from '#event-store';
import { fault } from '#kernel';

/** The log from a place on, in pieces as they come. */
export interface LogSource {
  /**
   * What has arrived, about `limit` events: an atomic batch is never cut in two, and its end is waited for. Undefined once `signal` is
   * aborted. Rejects when the log is gone.
   */
  next(limit: number): Promise<StoredEvent[] | undefined>;
  close(): Promise<void>;
}

const pullMessages = 1_000;
const pullExpiresMs = 5_000;
/** More than the largest atomic batch (1,000), which must fit as a whole. */
const mostBuffered = 4_000;

/** An event with whether a transaction may end behind it: inside an atomic batch it may not. */
interface Arrived {
  readonly event: StoredEvent;
  readonly closes: boolean;
}

/** The server keeps the headers of a batch: all its messages carry the id, the last one the commit. */
const closesBatch = ({ headers }: JsMsg): boolean => !headers?.has('Nats-Batch-Id') || headers.has('Nats-Batch-Commit');

/** How many of the first events make whole batches: the most up to `limit`, or else the first batch; 0 when it has not ended yet. */
const wholeBatches = (held: readonly Arrived[], limit: number): number => {
  const within = held.slice(0, limit).findLastIndex(({ closes }) => closes);
  return (within >= 0 ? within : held.findIndex(({ closes }) => closes)) + 1;
};

const storedOf = (message: JsMsg): StoredEvent => {
  const pairs: [string, string][] = [];
  for (const [name, [value]] of message.headers ?? []) if (value !== undefined) pairs.push([name, value]);
  return { sequence: message.seq, subject: message.subject, headers: ownHeaders(pairs), data: message.string() };
};

const openConsumer = async (connection: NatsConnection, from: number): Promise<{ consumer: Consumer; remove(): Promise<void> }> => {
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const { name } = await manager.consumers.add(eventsStream, {
    ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from,
    inactive_threshold: nanos(60_000), mem_storage: true, num_replicas: 1,
  });
  const consumer = await connection.jetstream().consumers.get(eventsStream, name);
  return { consumer, remove: async () => void (await manager.consumers.delete(eventsStream, name).catch(() => false)) };
};

/** A queue with one reader: who puts waits while it is full, who takes waits while it is empty. */
const buffer = () => {
  let held: Arrived[] = [];
  let error: unknown;
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  return {
    put: async (arrived: Arrived): Promise<void> => {
      held.push(arrived);
      if (arrived.closes) tell();
      while (held.length >= mostBuffered && error === undefined) await changed.promise;
    },
    fail: (cause: unknown): void => {
      error ??= cause;
      tell();
    },
    take: async (limit: number): Promise<StoredEvent[]> => {
      let count = wholeBatches(held, limit);
      for (; count === 0 && error === undefined; count = wholeBatches(held, limit)) await changed.promise;
      if (count === 0) throw error;
      const taken = held.slice(0, count).map(({ event }) => event);
      held = held.slice(count);
      tell();
      return taken;
    },
  };
};

/**
 * Reads the log from the sequence `from` on through a consumer of its own that needs no acks. The sequences it hands out have no
 * gap; where the client lost something on the way, or the server the consumer, `next` rejects and the caller opens another source.
 */
export const openLogSource = async (connection: NatsConnection, from: number, signal: AbortSignal): Promise<LogSource> => {
  const opened = await openConsumer(connection, from).catch((cause: unknown) => { throw logUnavailable(cause); });
  const queue = buffer();
  let expected = from;
  let ended = false;
  const end = (): void => {
    ended = true;
    queue.fail(signal.reason ?? logUnavailable(undefined));
  };
  signal.addEventListener('abort', end, { once: true });
  // Aborted while the consumer was made: the listener came too late.
  if (signal.aborted) end();
  const pump = async (): Promise<void> => {
    while (!ended) {
      const messages = await opened.consumer.fetch({ max_messages: pullMessages, expires: pullExpiresMs });
      for await (const message of messages) {
        const event = storedOf(message);
        if (event.sequence !== expected) {
          throw fault('unavailable', 'log-gap', `The log has no event ${expected}, the next one is ${event.sequence}`);
        }
        expected++;
        await queue.put({ event, closes: closesBatch(message) });
        if (ended) break;
      }
    }
  };
  pump().catch((error: unknown) => queue.fail(error instanceof Error && 'kind' in error ? error : logUnavailable(error)));
  return {
    next: async (limit) => {
      try {
        return await queue.take(limit);
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
    },
    close: async () => {
      end();
      signal.removeEventListener('abort', end);
      await opened.remove();
    },
  };
};
