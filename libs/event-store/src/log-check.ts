import { fault } from '#kernel';
import { type Checkpoint, type Sql, readArchive, readCheckpoint } from './archive.ts';
import { type StoredEvent, header, requireInstallation } from './codec.ts';
import type { LogReader } from './log-reader.ts';

/**
 * What comparing stream and archive showed. `agree`: the archive is a copy of the beginning of the log (a shorter one just catches
 * up). `lost-tail`: the log ends before the archive does. `recreated`: another stream under the same name. `different`: the same
 * place holds another event, which no tool can mend.
 */
export interface LogState {
  readonly state: 'agree' | 'lost-tail' | 'recreated' | 'different';
  /** Events in the archive. */
  readonly archived: number;
  /** Messages in the stream. */
  readonly last: number;
  /** When the stream was made (RFC 3339). */
  readonly created: string;
}

/** Where both copies of the log are read. */
export interface LogCopies {
  readonly log: LogReader;
  readonly sql: Sql;
  /** Id of this installation; a message of another one throws `foreign-event`. */
  readonly installation: string;
}

const sameEvent = (a: StoredEvent, b: StoredEvent): boolean =>
  a.headers[header.id] === b.headers[header.id] && a.subject === b.subject && a.data === b.data;

const archivedAt = async (sql: Sql, sequence: number): Promise<StoredEvent | undefined> =>
  (await readArchive(sql, { after: sequence - 1, until: sequence, limit: 1 }))[0];

const stateOf = async (
  { log, sql, installation }: LogCopies, checkpoint: Checkpoint, { last, created }: { readonly last: number; readonly created: string },
): Promise<LogState['state']> => {
  const mine = await archivedAt(sql, checkpoint.sequence);
  if (mine) requireInstallation(mine, installation);
  const theirs = last >= checkpoint.sequence ? await log.at(checkpoint.sequence) : undefined;
  if (theirs && mine && !sameEvent(mine, theirs)) return 'different';
  if (checkpoint.created !== undefined && checkpoint.created !== created) return 'recreated';
  return theirs && mine ? 'agree' : 'lost-tail';
};

/** Compares the stream's last sequence, its creation time and the message at the checkpoint with the archive. Changes nothing. */
export const checkLog = async ({ log, sql, installation }: LogCopies): Promise<LogState> => {
  const checkpoint = await readCheckpoint(sql);
  const { created, last } = await log.info();
  const seen = { archived: checkpoint.sequence, last, created };
  const newest = last > 0 ? await log.at(last) : undefined;
  if (newest) requireInstallation(newest, installation);
  if (checkpoint.sequence === 0) return { state: 'agree', ...seen };
  return { state: await stateOf({ log, sql, installation }, checkpoint, seen), ...seen };
};

/** The error that fences appends while stream and archive disagree. */
export const logDiverged = (found: LogState): Error =>
  fault('unavailable', 'log-diverged',
    `The event log (${found.last} messages, created ${found.created}) is not the one the archive copied (${found.archived} events): ${found.state}. `
    + 'Nothing is written until an operator runs `holdfast doctor reappend`',
    { retryable: false });
