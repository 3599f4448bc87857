import type { NatsConnection } from 'nats';
import { type Clock, fault } from '#kernel';
import type { Sql } from './archive.ts';
import { type ArchiveLoader, archiveLoader } from './archive-loader.ts';
import { type EventCodec, type StoredEvent, eventCodec, header } from './codec.ts';
import type { Append, EventStore } from './event-store.port.ts';
import type { EventContext, LoadedAggregate, LogPosition, RecordedEvent } from './event.ts';
import type { EventTypes } from './event-types.ts';
import { groupCommit } from './group-commit.ts';
import { type LogFence, logFence } from './log-fence.ts';
import { type LogReader, logReader, logUnavailable } from './log-reader.ts';
import { type LogWriter, logWriter } from './log-writer.ts';
import { type Planned, heldEvents, planAppend, recordedAt, versionConflict } from './plan-append.ts';
import { subjectOf } from './subject.ts';

/** What the store is made of. */
export interface EventStoreOptions {
  /** Connection of account CONTROL; made with `noAsyncTraces: true` it costs less per append. */
  readonly connection: NatsConnection;
  /** The database of the archive; with statement timeouts. */
  readonly sql: Sql;
  readonly types: EventTypes;
  /** Id of this installation: it is in every event, and others are refused. */
  readonly installation: string;
  readonly clock: Clock;
  /** Milliseconds that an append may try before it rejects with `log-unavailable`. Default 10,000. */
  readonly appendTimeoutMs?: number;
}

interface Parts {
  readonly reader: LogReader;
  readonly writer: LogWriter;
  readonly archive: ArchiveLoader;
  readonly codec: EventCodec;
  readonly fence: LogFence;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

const revisionOf = (stored: StoredEvent): number => Number(stored.headers[header.revision]);
const nothing: LogPosition = { sequence: 0, revision: 0 };

/** The events between the archive's last and `last`, which the archive has not copied yet. */
const missing = async (reader: LogReader, last: StoredEvent, from: LogPosition): Promise<StoredEvent[]> => {
  const found: StoredEvent[] = [];
  let { sequence } = from;
  while (sequence < last.sequence) {
    const next = revisionOf(last) === from.revision + found.length + 1 ? last : await reader.next(last.subject, sequence + 1);
    if (!next) break;
    found.push(next);
    sequence = next.sequence;
  }
  return found;
};

const tailOf = async ({ reader, archive }: Parts, last: StoredEvent, after: LogPosition, ref: { type: string; id: string }): Promise<StoredEvent[]> => {
  if (last.sequence <= after.sequence) return [];
  if (revisionOf(last) === after.revision + 1) return [last];
  const archived = await archive({ aggregate: ref, after: after.sequence });
  const end = archived.at(-1);
  const rest = await missing(reader, last, end ? { sequence: end.sequence, revision: revisionOf(end) } : after);
  return [...archived, ...rest];
};

const requireNoGap = (events: readonly RecordedEvent[], after: LogPosition, subject: string): void => {
  const gap = events.find((event, index) => event.revision !== after.revision + index + 1);
  if (gap) throw fault('internal', 'log-gap', `The history of ${subject} has a gap before sequence ${gap.sequence}; run \`holdfast doctor log\``);
};

const load = async (parts: Parts, ref: { type: string; id: string }, after: LogPosition): Promise<LoadedAggregate> => {
  const subject = subjectOf(ref);
  const last = await parts.reader.last(subject);
  if (!last) return { events: [], sequence: 0, revision: 0 };
  const events = (await tailOf(parts, last, after, ref)).map((stored) => parts.codec.decode(stored));
  requireNoGap(events, after, subject);
  const end = events.at(-1) ?? after;
  return { events, sequence: end.sequence, revision: end.revision };
};

const attempt = async (parts: Parts, planned: Planned): Promise<readonly RecordedEvent[] | undefined> => {
  await parts.fence.passed();
  const outcome = await parts.writer(planned.writes);
  switch (outcome.status) {
    case 'stored':
      return recordedAt(planned, outcome.sequence);
    case 'duplicate':
    case 'conflict': {
      const found = await heldEvents(planned, parts.codec, parts.reader, outcome.status === 'duplicate');
      if (found) return found;
      throw versionConflict(planned.subjects);
    }
    case 'busy':
    case 'unknown':
      return undefined;
  }
};

const append = async (parts: Parts, planned: Planned): Promise<readonly RecordedEvent[]> => {
  const end = parts.clock.monotonic() + parts.timeoutMs;
  for (let pause = 5; ; pause = Math.min(pause * 2, 500)) {
    let cause: unknown;
    try {
      const events = await attempt(parts, planned);
      if (events) return events;
    } catch (error) {
      if (!(error instanceof Error && 'retryable' in error && error.retryable) || ('code' in error && error.code === 'version-conflict')) throw error;
      cause = error;
    }
    if (parts.clock.monotonic() + pause > end) throw logUnavailable(cause);
    await parts.clock.sleep(pause);
  }
};

/**
 * The log on JetStream with its archive in Postgres. An append whose answer was lost is tried again until it is known to have held
 * or not; the same events are never stored twice. Nothing is read or written before the fence has compared log and archive.
 */
export const jetStreamEventStore = (options: EventStoreOptions): EventStore => {
  const { connection, sql, types, installation, clock } = options;
  const reader = logReader(connection, clock);
  const parts: Parts = {
    reader, clock,
    writer: groupCommit(logWriter(connection, clock), clock),
    archive: archiveLoader(sql),
    codec: eventCodec(types, installation),
    fence: logFence(connection, { log: reader, sql, installation }, clock),
    timeoutMs: options.appendTimeoutMs ?? 10_000,
  };
  return {
    load: async (aggregate, after = nothing) => {
      await parts.fence.passed();
      return load(parts, aggregate, after);
    },
    append: async (appends: readonly Append[], context: EventContext) => {
      const planned = planAppend(appends, context, parts.codec);
      return planned ? append(parts, planned) : [];
    },
  };
};
