import type { ClientBase } from 'pg';
import type { NatsConnection } from 'nats';
import {
  type EventCodec, type LogCopies, type RecordedEvent, type StoredEvent, checkLog, eventHeader, logDiverged,
} from '#event-store';
import { type Clock, hasCode } from '#kernel';
import { openLogSource } from './log-source.ts';
import type { Progress } from './progress.ts';
import { type BatchProjector, batchProjector } from './project-batch.ts';
import type { ReadTable } from './read-table.ts';
import { pause } from './stand-by.ts';

/** What projecting works with. */
export interface ProjectParts {
  readonly connection: NatsConnection;
  readonly copies: LogCopies;
  readonly codec: EventCodec;
  readonly tables: readonly ReadTable[];
  readonly progress: Progress;
  /** The most events of one transaction. */
  readonly batch: number;
  readonly clock: Clock;
}

/** A batch of more events than one command makes as a rule: somebody keeps the masters busy. */
const busyEvents = 8;
const restMs = { quiet: 20, busy: 40 } as const;

/**
 * After a small batch projecting rests, at most as long as the batch took where little happens: what arrives meanwhile goes into one
 * transaction at a fraction of the cost. An event that comes alone waits for nothing, and a backlog is worked off without rests.
 */
const restAfter = (took: number, events: number, { batch }: ProjectParts): number => {
  if (events * 4 >= batch) return 0;
  return events > busyEvents ? restMs.busy : Math.min(restMs.quiet, took);
};

const commandOf = (stored: StoredEvent | undefined): string | undefined => stored?.headers[eventHeader.command];

/** How many of the first `count` events lie before the command of the event behind them: one command is one atomic batch. */
const beforeCommand = (stored: readonly StoredEvent[], count: number): number => {
  const command = commandOf(stored[count]);
  let whole = count;
  while (whole > 0 && commandOf(stored[whole - 1]) === command) whole--;
  return whole;
};

/** Decodes up to the command of the first event that this build does not know; the fault is thrown when nothing comes before it. */
const decodeKnown = (codec: EventCodec, stored: readonly StoredEvent[]): RecordedEvent[] => {
  const events: RecordedEvent[] = [];
  for (const one of stored) {
    try {
      events.push(codec.decode(one));
    } catch (error) {
      const whole = beforeCommand(stored, events.length);
      if (whole === 0 || !hasCode(error, 'unknown-event')) throw error;
      return events.slice(0, whole);
    }
  }
  return events;
};

const projectAll = async (projector: BatchProjector, parts: ProjectParts, stored: readonly StoredEvent[], created: string): Promise<void> => {
  let rest = stored;
  while (rest.length > 0) {
    const events = decodeKnown(parts.codec, rest);
    const before = parts.progress.position;
    const reached = await projector({ stored: rest.slice(0, events.length), events, created });
    parts.progress.reached(reached, events.filter((event) => event.sequence > before && event.sequence <= reached));
    rest = rest.slice(events.length);
  }
};

/**
 * Follows the log and projects, batch after batch, each as large as what has arrived meanwhile, until `signal` is aborted. The
 * caller holds the lock. Rejects when log or database fail, when log and archive disagree, and on an event nobody knows.
 */
export const project = async (client: ClientBase, parts: ProjectParts, signal: AbortSignal): Promise<void> => {
  const found = await checkLog({ ...parts.copies, sql: client });
  if (found.state !== 'agree') throw logDiverged(found);
  parts.progress.reached(found.archived);
  const projector = batchProjector(client, parts.tables);
  const source = await openLogSource(parts.connection, found.archived + 1, signal);
  try {
    for (;;) {
      const stored = await source.next(parts.batch);
      if (!stored) return;
      const began = parts.clock.monotonic();
      await projectAll(projector, parts, stored, found.created);
      const rest = restAfter(parts.clock.monotonic() - began, stored.length, parts);
      if (rest > 0) await pause(parts.clock, rest, signal);
    }
  } finally {
    await source.close();
  }
};
