import type { NatsConnection } from 'nats';
import { type EventTypes, type Sql, eventCodec, logReader, readArchive, readCheckpoint } from '#event-store';
import { type AppError, type Clock, type Logger, isAppError, messageOf } from '#kernel';
import type { Follower, FollowerStatus } from './follower.port.ts';
import { type ProjectParts, project } from './project.ts';
import { progress } from './progress.ts';
import type { ReadTable } from './read-table.ts';
import { rebuildOutdated } from './rebuild.ts';
import { type SessionConfig, openSession } from './session.ts';
import { type StandByParts, pause, untilLocked } from './stand-by.ts';

/** What a follower is made of. */
export interface FollowerOptions {
  readonly connection: NatsConnection;
  /** For a session of its own, in which it listens, locks and projects. */
  readonly database: SessionConfig;
  /** A pool for short reads of the archive. */
  readonly sql: Sql;
  readonly types: EventTypes;
  readonly installation: string;
  readonly tables: readonly ReadTable[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** The most events of one transaction. Default 2,000. */
  readonly batch?: number;
  /** Milliseconds between two looks of a waiting master at position and lock. Default 500. */
  readonly lookMs?: number;
  /** Milliseconds that the position may stand still beside a growing log before the lock is broken. Default 15,000. */
  readonly stalledMs?: number;
}

const readPage = 1_000;

/** Codes after which trying again is of no use: another build of this program is needed. */
const hopeless = new Set(['unknown-event', 'foreign-event', 'malformed-event']);

const statusOf = (error: unknown): FollowerStatus => {
  const [code, detail] = isAppError(error) ? [error.code, error.detail] : ['projection-unavailable', messageOf(error)];
  return { state: hopeless.has(code) ? 'halted' : 'failing', code, detail };
};

interface FollowerParts {
  readonly projecting: ProjectParts;
  readonly waiting: StandByParts;
}

const partsOf = (options: FollowerOptions): FollowerParts => {
  const { connection, sql, clock, logger, lookMs = 500, stalledMs = 15_000 } = options;
  const codec = eventCodec(options.types, options.installation);
  const reader = logReader(connection, clock);
  const known = progress(
    async (after, until) => (await readArchive(sql, { after, until, limit: readPage })).map((stored) => codec.decode(stored)), clock, logger);
  return {
    waiting: { progress: known, reader, clock, logger, lookMs, stalledMs },
    projecting: {
      connection, codec, clock, tables: options.tables, progress: known, batch: options.batch ?? 2_000,
      copies: { log: reader, sql, installation: options.installation },
    },
  };
};

/** Makes a follower; `start` begins. */
export const createFollower = (options: FollowerOptions): Follower => {
  const { clock, logger, tables } = options;
  const { projecting, waiting } = partsOf(options);
  const { progress: known, codec } = projecting;
  const stopping = new AbortController();
  let status: FollowerStatus = { state: 'starting' };
  let running: Promise<void> | undefined;

  const once = async (looked: () => void): Promise<void> => {
    const session = await openSession(options.database, (sequence) => known.reached(sequence));
    const end = AbortSignal.any([stopping.signal, session.ended]);
    try {
      known.begin(known.position === 0 ? (await readCheckpoint(session.client)).sequence : 0);
      if (!(await untilLocked(session, end, waiting, () => {
        status = { state: 'waiting' };
        looked();
      }))) return;
      status = { state: 'projecting' };
      looked();
      await rebuildOutdated({ client: session.client, tables, codec, logger });
      await project(session.client, projecting, end);
    } finally {
      await session.close();
    }
  };

  const run = async (looked: () => void): Promise<void> => {
    for (let wait = 100; !stopping.signal.aborted;) {
      const before = known.position;
      try {
        await once(looked);
      } catch (error) {
        status = statusOf(error);
        logger.error('Following the log failed', { error: messageOf(error), internal: (error as AppError).internal });
        looked();
        if (status.state === 'halted') return;
      }
      wait = known.position > before ? 100 : Math.min(wait * 2, 5_000);
      await pause(clock, wait, stopping.signal);
    }
    status = { state: 'stopped' };
  };

  return {
    get position() { return known.position; },
    get status() { return status; },
    start: () => new Promise((resolve) => { running ??= run(resolve); }),
    stop: async () => {
      stopping.abort();
      await running;
    },
    waitFor: (sequence, timeoutMs) => known.waitFor(sequence, timeoutMs),
    onEvents: (listener) => known.onEvents(listener),
    lag: async () => {
      const { last } = await waiting.reader.info();
      return { last, projected: known.position, events: Math.max(0, last - known.position) };
    },
  };
};
