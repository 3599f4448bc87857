import { fault } from '#kernel';
import { type StoredEvent, eventCodec } from './codec.ts';
import type { EventStore } from './event-store.port.ts';
import type { EventTypes } from './event-types.ts';
import type { RecordedEvent } from './event.ts';
import { type Planned, heldEvents, planAppend, recordedAt, versionConflict } from './plan-append.ts';
import { subjectOf } from './subject.ts';

/** The log in memory: keeps every promise of the port except to outlive the process. For tests of what decides. */
export interface MemoryEventStore extends EventStore {
  /** The whole log, as read back. */
  all(): readonly RecordedEvent[];
}

const write = (log: StoredEvent[], planned: Planned): RecordedEvent[] => {
  for (const { event: { subject, headers, data } } of planned.writes) log.push({ subject, headers, data, sequence: log.length + 1 });
  return recordedAt(planned, log.length);
};

/** A log in memory for these event types; it goes through the same codec as the real one. */
export const memoryEventStore = (types: EventTypes, installation = 'inst_memory'): MemoryEventStore => {
  const log: StoredEvent[] = [];
  const codec = eventCodec(types, installation);
  const of = (subject: string): StoredEvent[] => log.filter((one) => one.subject === subject);
  const look = {
    at: async (sequence: number) => log[sequence - 1],
    next: async (subject: string, sequence: number) => log.find((one) => one.subject === subject && one.sequence >= sequence),
  };
  return {
    all: () => log.map((stored) => codec.decode(stored)),
    load: async (aggregate, after = { sequence: 0, revision: 0 }) => {
      const events = of(subjectOf(aggregate)).map((stored) => codec.decode(stored));
      const newer = events.filter((one) => one.sequence > after.sequence);
      const end = events.at(-1) ?? { sequence: 0, revision: 0 };
      return { events: newer, sequence: end.sequence, revision: end.revision };
    },
    append: async (appends, context) => {
      const planned = planAppend(appends, context, codec);
      if (!planned) return [];
      const held = await heldEvents(planned, codec, look, true);
      if (held) return held;
      const stale = planned.subjects.some(({ subject, expected }) => (of(subject).at(-1)?.sequence ?? 0) !== expected);
      if (stale) throw versionConflict(planned.subjects);
      if (log.length > 1_000_000) throw fault('internal', 'memory-log-full', 'The log in memory is for tests and holds a million events');
      return write(log, planned);
    },
  };
};
