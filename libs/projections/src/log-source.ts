import { AckPolicy, type Consumer, DeliverPolicy, type JsMsg, type NatsConnection, nanos } from 'nats';
import { type StoredEvent, eventsStream, logUnavailable, ownHeaders } from '#event-store';
import { fault } from '#kernel';

/** The log from a place on, in pieces as they come. */
export interface LogSource {
  /** What has arrived, at most `limit` events; waits for the first. Undefined once `signal` is aborted. Rejects when the log is gone. */
  next(limit: number): Promise<StoredEvent[] | undefined>;
  close(): Promise<void>;
}

const pullMessages = 1_000;
const pullExpiresMs = 5_000;
const mostBuffered = 4_000;

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
  let held: StoredEvent[] = [];
  let error: unknown;
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  return {
    put: async (event: StoredEvent): Promise<void> => {
      held.push(event);
      if (held.length === 1) tell();
      while (held.length >= mostBuffered && error === undefined) await changed.promise;
    },
    fail: (cause: unknown): void => {
      error ??= cause;
      tell();
    },
    take: async (limit: number): Promise<StoredEvent[]> => {
      while (held.length === 0 && error === undefined) await changed.promise;
      if (held.length === 0) throw error;
      const taken = held.slice(0, limit);
      held = held.slice(limit);
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
  const pump = async (): Promise<void> => {
    while (!ended) {
      const messages = await opened.consumer.fetch({ max_messages: pullMessages, expires: pullExpiresMs });
      for await (const message of messages) {
        const event = storedOf(message);
        if (event.sequence !== expected) {
          throw fault('unavailable', 'log-gap', `The log has no event ${expected}, the next one is ${event.sequence}`);
        }
        expected++;
        await queue.put(event);
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
