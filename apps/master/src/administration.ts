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

/** Milliseconds for which a job tries to reach bus and database: somebody is waiting in front of it. */
const patienceMs = 30_000;

/** Makes all read models anew from the archive, beside those in use; masters go on meanwhile. */
const rebuildProjections = async ({ config, clock, logger, signal }: Job): Promise<void> => {
  const installation = installationOf(await loadKeys(config.keysDir));
  const { source, pool } = await openDatabase({ ...catalogue, url: config.postgres.url, clock, logger, signal });
  const client = new SteadyClient({ connectionString: config.postgres.url, application_name: 'holdfast-rebuild' });
  try {
    await client.connect();
    const done = await rebuild({ client, tables: readTables(source, catalogue.readModels), codec: eventCodec(catalogue.types, installation), logger });
    logger.info('read models were rebuilt', { events: done.events, models: done.models });
  } finally {
    await client.end();
    await pool.end();
    await source.destroy();
  }
};

/** Opens both copies of the log for `work`. */
const withLog = async ({ config, clock, logger, signal }: Job, work: (copies: ReappendParts) => Promise<void>): Promise<void> => {
  const keys = await loadKeys(config.keysDir);
  const bus = await connectMaster({ config: config.nats, keys, clock, logger, signal });
  const pool = new pg.Pool({ Client: SteadyClient, connectionString: config.postgres.url, max: 2, application_name: 'holdfast-doctor' });
  try {
    await work({ log: logReader(bus.control, clock), sql: pool, installation: installationOf(keys), connection: bus.control, clock });
  } finally {
    await pool.end();
    await bus.control.close();
    await bus.system.close();
  }
};

/** Compares the log with its archive and says what it found; fails when they differ. */
const examineLog = (job: Job): Promise<void> => withLog(job, async (copies) => {
  const found = await checkLog(copies);
  job.logger.info('log and archive were compared', { ...found });
  if (found.state !== 'agree') {
    throw fault('conflict', 'log-diverged', `The log is not the one the archive copied (${found.state}); see the runbook log-diverged before you re-append`);
  }
});

/** Writes what the log has lost again, from the archive. Masters go on by themselves afterwards. */
const reappendLog = (job: Job): Promise<void> => withLog(job, async (copies) => {
  const { config, logger } = job;
  // A log that is gone altogether is made again, empty.
  await provisionStreams(copies.connection, { events: eventsStreamConfig(config.streamReplicas), replicas: config.streamReplicas, log: logger });
  const done = await reappend({ ...copies, onProgress: (events) => logger.info('re-appending', { events }) });
  logger.info('the log is whole again', { ...done });
});

/** Makes the session secret of these settings the one of all masters; they are to be started with it afterwards. */
const changeSessionSecret = async ({ config, clock, logger, signal }: Job): Promise<void> => {
  const keys = await loadKeys(config.keysDir);
  const { source, pool } = await openDatabase({ ...catalogue, url: config.postgres.url, clock, logger, signal });
  try {
    await replaceSessionSecret(pool, sessionSecretOf(config, keys), clock);
    logger.info('the session secret was changed; start every master with it, all log-ins are over', { from: config.sessionSecret === undefined ? 'keys folder' : 'SESSION_SECRET' });
  } finally {
    await pool.end();
    await source.destroy();
  }
};

const jobs: Readonly<Record<string, (job: Job) => Promise<void>>> = {
  'projections rebuild': rebuildProjections,
  'doctor log': examineLog,
  'doctor reappend': reappendLog,
  'doctor session-secret': changeSessionSecret,
};

/**
 * The jobs of an operator that need the master's own settings: `projections rebuild`, `doctor log`, `doctor reappend`,
 * `doctor session-secret`. Throws
 * `unknown-command`, and what the job throws.
 */
export const runAdministration = async (words: readonly string[], signal: AbortSignal, variables: Variables = environment()): Promise<void> => {
  const job = jobs[words.join(' ')];
  if (!job) throw fault('validation', 'unknown-command', `There is no such command; use serve, ${Object.keys(jobs).join(', ')}`);
  const config = readConfig(MasterConfig, variables);
  const patient = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  await job({ config, clock: systemClock, logger: newLogger({ level: config.log.level, name: 'master' }), signal: patient });
};
