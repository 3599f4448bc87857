import pg from 'pg';
import { type Variables, environment, readConfig } from '#config';
import { type ReappendParts, SteadyClient, checkLog, eventCodec, eventsStreamConfig, logReader, reappend } from '#event-store';
import { loadKeys } from '#identity';
import { type Clock, type Logger, fault, systemClock } from '#kernel';
import { provisionStreams } from '#messaging';
import { newLogger } from '#observability';
import { readTables, rebuild } from '#projections';
import { catalogue } from './catalogue.ts';
import { MasterConfig } from './platform/config/master.config.ts';
import { connectMaster } from './platform/foundation/bus.ts';
import { openDatabase } from './platform/foundation/database.ts';
import { installationOf } from './platform/foundation/foundation.ts';
import { replaceSessionSecret, sessionSecretOf } from './platform/foundation/session-secret.ts';

/** What a job works with. */
interface Job {
  readonly config: MasterConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the attempts to reach bus and database. */
  readonly signal: AbortSignal;
}

/** What a job has done; `message_type` says what it is, for the command line and for programs. */
export interface JobResult {
  readonly message_type: string;
  readonly [field: string]: string | number | readonly string[];
}

/** Milliseconds for which a job tries to reach bus and database: somebody is waiting in front of it. */
const patienceMs = 30_000;

/** Makes all read models anew from the archive, beside those in use; masters go on meanwhile. */
const rebuildProjections = async ({ config, clock, logger, signal }: Job): Promise<JobResult> => {
  const installation = installationOf(await loadKeys(config.keysDir));
  const { source, pool } = await openDatabase({ ...catalogue, url: config.postgres.url, clock, logger, signal });
  const client = new SteadyClient({ connectionString: config.postgres.url, application_name: 'holdfast-rebuild' });
  try {
    await client.connect();
    const done = await rebuild({ client, tables: readTables(source, catalogue.readModels), codec: eventCodec(catalogue.types, installation), logger });
    return { message_type: 'projections-rebuilt', models: done.models, events: done.events };
  } finally {
    await client.end();
    await pool.end();
    await source.destroy();
  }
};

/** Opens both copies of the log for `work`. */
const withLog = async ({ config, clock, logger, signal }: Job, work: (copies: ReappendParts) => Promise<JobResult>): Promise<JobResult> => {
  const keys = await loadKeys(config.keysDir);
  const bus = await connectMaster({ config: config.nats, keys, clock, logger, signal });
  const pool = new pg.Pool({ Client: SteadyClient, connectionString: config.postgres.url, max: 2, application_name: 'holdfast-doctor' });
  try {
    return await work({ log: logReader(bus.control, clock), sql: pool, installation: installationOf(keys), connection: bus.control, clock });
  } finally {
    await pool.end();
    await bus.control.close();
    await bus.system.close();
  }
};

/** Compares the log with its archive and says what it found; fails when they differ. */
const examineLog = (job: Job): Promise<JobResult> => withLog(job, async (copies) => {
  const { state, archived, last, created } = await checkLog(copies);
  if (state !== 'agree') {
    const differ = `${state}: the archive ends at event ${archived}, the log at ${last}`;
    throw fault('conflict', 'log-diverged', `The log is not the one the archive copied (${differ}); see the runbook log-diverged before you re-append`);
  }
  return { message_type: 'log-check', state, archived, last, created };
});

/** Writes what the log has lost again, from the archive. Masters go on by themselves afterwards. */
const reappendLog = (job: Job): Promise<JobResult> => withLog(job, async (copies) => {
  const { config, logger } = job;
  // A log that is gone altogether is made again, empty.
  await provisionStreams(copies.connection, { events: eventsStreamConfig(config.streamReplicas), replicas: config.streamReplicas, log: logger });
  const { compared, written } = await reappend({ ...copies, onProgress: (events) => logger.info('re-appending', { events }) });
  return { message_type: 'log-reappended', compared, written };
});

/** Makes the session secret of these settings the one of all masters; they are to be started with it afterwards. */
const changeSessionSecret = async ({ config, clock, logger, signal }: Job): Promise<JobResult> => {
  const keys = await loadKeys(config.keysDir);
  const { source, pool } = await openDatabase({ ...catalogue, url: config.postgres.url, clock, logger, signal });
  try {
    await replaceSessionSecret(pool, sessionSecretOf(config, keys), clock);
    return { message_type: 'session-secret-changed', from: config.sessionSecret === undefined ? 'keys folder' : 'SESSION_SECRET' };
  } finally {
    await pool.end();
    await source.destroy();
  }
};

const jobs: Readonly<Record<string, (job: Job) => Promise<JobResult>>> = {
  'projections rebuild': rebuildProjections,
  'doctor log': examineLog,
  'doctor reappend': reappendLog,
  'doctor session-secret': changeSessionSecret,
};

/**
 * The jobs of an operator that need the master's own settings: `projections rebuild`, `doctor log`, `doctor reappend`,
 * `doctor session-secret`. Resolves with what was done; logs go to the standard error. Throws `unknown-command`, and what the job throws.
 */
export const runAdministration = async (words: readonly string[], signal: AbortSignal, variables: Variables = environment()): Promise<JobResult> => {
  const job = jobs[words.join(' ')];
  if (!job) throw fault('validation', 'unknown-command', `There is no such command; use serve, ${Object.keys(jobs).join(', ')}`);
  const config = readConfig(MasterConfig, variables);
  const patient = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  // The standard output is for what was done.
  const logger = newLogger({ level: config.log.level, name: 'master', destination: process.stderr });
  return job({ config, clock: systemClock, logger, signal: patient });
};
