import type { NatsConnection } from 'nats';
import { type Clock, fault } from '#kernel';
import { readArchive, readCheckpoint, writeCheckpoint } from './archive.ts';
import { type StoredEvent, header } from './codec.ts';
import { type LogCopies, checkLog, logDiverged } from './log-check.ts';
import type { LogReader } from './log-reader.ts';
import { type LogWriter, type WriteOutcome, logWriter } from './log-writer.ts';

/** What writing the missing events again did. */
export interface Reappended {
  /** Events that both copies held and that were compared. */
  readonly compared: number;
  /** Events that were written into the log again. */
  readonly written: number;
}

/** What reappending works with. */
export interface ReappendParts extends LogCopies {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  /** Called after each piece, with the events done so far. */
  readonly onProgress?: (done: number) => void;
}

const page = 500;
const inFlight = 100;

const requireEqual = async (log: LogReader, archived: StoredEvent): Promise<void> => {
  const theirs = await log.at(archived.sequence);
  const equal = theirs?.headers[header.id] === archived.headers[header.id] && theirs?.subject === archived.subject && theirs.data === archived.data;
  if (equal) return;
  throw fault('conflict', 'log-different',
    `Log and archive hold different events at ${archived.sequence}; no tool can tell which is true: restore one of them from a backup`);
};

const write = async (writer: LogWriter, { sequence, subject, headers, data }: StoredEvent): Promise<WriteOutcome> =>
  writer([{ event: { id: headers[header.id] ?? '', subject, headers, data }, expect: { 'Nats-Expected-Last-Sequence': String(sequence - 1) } }]);

/** Writes a piece in order; each message only lands right after its predecessor, so whatever fails ends it with a whole prefix written. */
const writePiece = async (writer: LogWriter, piece: readonly StoredEvent[]): Promise<void> => {
  for (let start = 0; start < piece.length; start += inFlight) {
    const some = piece.slice(start, start + inFlight);
    const outcomes = await Promise.all(some.map((event) => write(writer, event)));
    const wrong = outcomes.findIndex((outcome, index) => outcome.status !== 'stored' || outcome.sequence !== some[index]?.sequence);
    if (wrong >= 0) {
      throw fault('unavailable', 'reappend-stopped',
        `Event ${some[wrong]?.sequence ?? 0} could not be written (${outcomes[wrong]?.status ?? ''}); run the command again, it goes on where it stopped`);
    }
  }
};

/**
 * Writes the events that the log lost again from the archive, in order, each with `Nats-Expected-Last-Sequence`, after comparing all
 * that both hold. Then the archive accepts the stream as its own and masters write again. Only on an operator's word; harmless
 * when repeated or interrupted. Throws `log-different` when the copies contradict each other.
 */
export const reappend = async (parts: ReappendParts): Promise<Reappended> => {
  const { log, sql, connection, clock } = parts;
  const found = await checkLog(parts);
  if (found.state === 'different') throw logDiverged(found);
  const both = Math.min(found.last, found.archived);
  const writer = logWriter(connection, clock);
  for (let after = 0; after < found.archived;) {
    const piece = await readArchive(sql, { after, until: found.archived, limit: page });
    const last = piece.at(-1);
    if (!last) throw fault('internal', 'archive-gap', `The archive has no event after ${after}; restore it from a backup`);
    const common = piece.filter((event) => event.sequence <= both);
    for (let start = 0; start < common.length; start += inFlight) {
      await Promise.all(common.slice(start, start + inFlight).map((event) => requireEqual(log, event)));
    }
    await writePiece(writer, piece.slice(common.length));
    after = last.sequence;
    parts.onProgress?.(after);
  }
  const { sequence } = await readCheckpoint(sql);
  await writeCheckpoint(sql, { sequence, created: found.created });
  return { compared: both, written: found.archived - both };
};
