import { fault } from '#kernel';
import { type EventCodec, type NewEvent, type StoredEvent, header } from './codec.ts';
import type { Append } from './event-store.port.ts';
import type { EventContext, RecordedEvent } from './event.ts';
import type { Write } from './log-writer.ts';

/** The most messages that the server takes in one batch. */
const mostEvents = 1_000;

/** What is about to be written, in the order of the batch. */
export interface Planned {
  readonly writes: readonly [Write, ...Write[]];
  /** The events as they will be recorded, without their sequence. */
  readonly events: readonly RecordedEvent[];
  /** Subject of each aggregate with the sequence that it must end at and the place of its first event in the batch. */
  readonly subjects: readonly { readonly subject: string; readonly expected: number; readonly index: number }[];
}

/** The error that makes a command handler decide again. */
export const versionConflict = (subjects: Planned['subjects']): Error =>
  fault('conflict', 'version-conflict', 'Somebody else changed this at the same moment; try again', {
    retryable: true, internal: subjects.map((one) => `${one.subject}@${one.expected}`).join(' '),
  });

/** Numbers, encodes and orders the events of an append; undefined when there are none. One entry for each aggregate. */
export const planAppend = (appends: readonly Append[], context: EventContext, codec: EventCodec): Planned | undefined => {
  const [writes, events, subjects]: [Write[], RecordedEvent[], { subject: string; expected: number; index: number }[]] = [[], [], []];
  for (const { aggregate, expectedSequence, expectedRevision, events: added } of appends) {
    for (const [offset, event] of added.entries()) {
      const [index, revision] = [writes.length, expectedRevision + offset + 1];
      const encoded: NewEvent = codec.encode({ aggregate, revision, index }, event, context);
      if (offset === 0) subjects.push({ subject: encoded.subject, expected: expectedSequence, index });
      const expect: Record<string, string> = offset === 0 ? { 'Nats-Expected-Last-Subject-Sequence': String(expectedSequence) } : {};
      writes.push({ event: encoded, expect });
      events.push({ sequence: 0, revision, id: encoded.id, aggregate, event, context });
    }
  }
  const [first, ...rest] = writes;
  if (!first) return undefined;
  if (writes.length > mostEvents) throw fault('internal', 'append-too-large', `One command may append ${mostEvents} events, not ${writes.length}`);
  if (new Set(subjects.map((one) => one.subject)).size !== subjects.length) throw fault('internal', 'aggregate-twice', 'An append names an aggregate twice');
  return { writes: [first, ...rest], events, subjects };
};

/** The planned events at their places: a batch is contiguous and ends at `last`. */
export const recordedAt = ({ events }: Planned, last: number): RecordedEvent[] =>
  events.map((event, index) => ({ ...event, sequence: last - events.length + index + 1 }));

/** Reads that tell whether an append held. */
export interface LookBack {
  at(sequence: number): Promise<StoredEvent | undefined>;
  next(subject: string, sequence: number): Promise<StoredEvent | undefined>;
}

const isOurs = (stored: StoredEvent | undefined, event: RecordedEvent | undefined): boolean =>
  stored !== undefined && stored.headers[header.id] === event?.id;

/** Where the batch begins: right after the expected event of its first aggregate, or (`anywhere`) wherever its id lies in it. */
const beginOf = async ({ subjects, events }: Planned, log: LookBack, anywhere: boolean): Promise<StoredEvent | undefined> => {
  const [first] = subjects;
  if (!first) return undefined;
  const follower = await log.next(first.subject, first.expected + 1);
  if (isOurs(follower, events[0])) return follower;
  let found = anywhere ? await log.next(first.subject, 1) : undefined;
  while (found && !isOurs(found, events[0])) found = await log.next(first.subject, found.sequence + 1);
  return found;
};

/**
 * The events of the first time when the log holds them: after a conflict, the event after the expected one is then ours. They are
 * read back, because time and data may have been other ones the first time. `anywhere`: the server knows one of the ids, so look
 * through the whole history.
 */
export const heldEvents = async (planned: Planned, codec: EventCodec, log: LookBack, anywhere: boolean): Promise<RecordedEvent[] | undefined> => {
  const { events } = planned;
  const begin = await beginOf(planned, log, anywhere);
  if (!begin) return undefined;
  const stored = await Promise.all(events.map((_, index) => (index === 0 ? Promise.resolve(begin) : log.at(begin.sequence + index))));
  const ours = stored.filter((message, index): message is StoredEvent => isOurs(message, events[index]));
  if (ours.length !== events.length) throw fault('internal', 'batch-torn', 'A batch lies in the log in part only, or its command id was used for two commands');
  return ours.map((message) => codec.decode(message));
};
