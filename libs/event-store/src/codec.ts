import { hash } from 'node:crypto';
import { fault } from '#kernel';
import type { AggregateRef, DomainEvent, EventContext, RecordedEvent } from './event.ts';
import type { EventTypes } from './event-types.ts';
import { aggregateOf, subjectOf } from './subject.ts';

/** Names of the headers of an event. Those of the server (`Nats-Expected-...`, `Nats-Batch-...`) are not part of the event. */
export const header = {
  id: 'Nats-Msg-Id',
  type: 'Hf-Type',
  version: 'Hf-Version',
  time: 'Hf-Time',
  revision: 'Hf-Revision',
  actor: 'Hf-Actor',
  from: 'Hf-From',
  command: 'Hf-Command',
  installation: 'Hf-Installation',
  traceparent: 'traceparent',
} as const;

const own: ReadonlySet<string> = new Set(Object.values(header));

/** An event as it lies in the stream and, letter for letter, in the archive. */
export interface StoredEvent {
  readonly sequence: number;
  readonly subject: string;
  /** Only those of `header`. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly data: string;
}

/** An event that has no place in the log yet. */
export type NewEvent = Omit<StoredEvent, 'sequence'> & { readonly id: string };

/** Id of the event at `index` of a command: deciding it twice gives the same ids. 32 hex digits. */
export const eventId = (commandId: string, index: number): string => hash('sha256', `${commandId}\n${index}`, 'hex').slice(0, 32);

/** Keeps the headers that belong to the event. */
export const ownHeaders = (all: Iterable<readonly [string, string]>): Record<string, string> => {
  const kept: Record<string, string> = {};
  for (const [name, value] of all) if (own.has(name)) kept[name] = value;
  return kept;
};

/** Turns events into messages and back. */
export interface EventCodec {
  encode(place: { readonly aggregate: AggregateRef; readonly revision: number; readonly index: number }, event: DomainEvent, context: EventContext): NewEvent;
  /**
   * In today's shape. Throws `unknown-event` for a type or version that this build does not know, `foreign-event` for one of
   * another installation, `malformed-event` for what is no event: none of them may be skipped.
   */
  decode(stored: StoredEvent): RecordedEvent;
}

const clean = (value: string): string => {
  if (value.length > 1024 || /[^\x20-\x7e]/.test(value)) {
    throw fault('internal', 'invalid-event-header', 'Headers of events are printable ASCII of at most 1,024 characters', { internal: JSON.stringify(value) });
  }
  return value;
};

const contextHeaders = (context: EventContext): Record<string, string> => ({
  [header.time]: clean(context.time),
  [header.actor]: clean(context.actor),
  [header.command]: clean(context.commandId),
  ...(context.from ? { [header.from]: clean(context.from) } : {}),
  ...(context.traceparent ? { [header.traceparent]: clean(context.traceparent) } : {}),
});

const malformed = (stored: StoredEvent, cause?: unknown): Error =>
  fault('internal', 'malformed-event', `Message ${stored.sequence} of the log is no event of Holdfast; find out who wrote it`, { cause });

const contextOf = (headers: Readonly<Record<string, string>>): EventContext => {
  const [from, traceparent] = [headers[header.from], headers[header.traceparent]];
  return {
    time: headers[header.time] ?? '',
    actor: headers[header.actor] ?? '',
    commandId: headers[header.command] ?? '',
    ...(from === undefined ? {} : { from }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
};

const parse = (stored: StoredEvent): object => {
  try {
    const data: unknown = JSON.parse(stored.data);
    if (typeof data === 'object' && data !== null) return data;
  } catch (cause) {
    throw malformed(stored, cause);
  }
  throw malformed(stored);
};

/** Throws `foreign-event` when the message is of another installation than `installation`. */
export const requireInstallation = (stored: StoredEvent, installation: string): void => {
  const theirs = stored.headers[header.installation];
  if (theirs === installation) return;
  throw fault('unavailable', 'foreign-event',
    `Message ${stored.sequence} is of the installation ${theirs ?? '(none)'}, this is ${installation}; connect archive and log of the same installation`,
    { retryable: false });
};

/** The codec of one installation for the event types of this build. */
export const eventCodec = (types: EventTypes, installation: string): EventCodec => ({
  encode: ({ aggregate, revision, index }, event, context) => {
    const id = eventId(context.commandId, index);
    const headers = {
      [header.id]: id,
      [header.type]: event.type,
      [header.version]: String(types.version(event.type)),
      [header.revision]: String(revision),
      [header.installation]: installation,
      ...contextHeaders(context),
    };
    return { id, subject: subjectOf(aggregate), headers, data: JSON.stringify(event.data) };
  },
  decode: (stored) => {
    const { headers } = stored;
    const [id, type, aggregate] = [headers[header.id], headers[header.type], aggregateOf(stored.subject)];
    const revision = Number(headers[header.revision]);
    if (!id || !type || !aggregate || !Number.isSafeInteger(revision) || revision < 1) throw malformed(stored);
    requireInstallation(stored, installation);
    const data = types.upcast(type, Number(headers[header.version]), parse(stored));
    return { sequence: stored.sequence, revision, id, aggregate, event: { type, data }, context: contextOf(headers) };
  },
});
