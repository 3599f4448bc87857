import pg from 'pg';
import { environment, readConfig } from '#config';
import { checkLog, eventCodec, logReader } from '#event-store';
import { loadKeys } from '#identity';
import { type Logger, fault, systemClock } from '#kernel';
import { newLogger } from '#observability';
import { readTables, rebuild } from '#projections';
import { catalogue } from './catalogue.ts';
import { MasterConfig } from './platform/config/master.config.ts';
import { connectMaster } from './platform/foundation/bus.ts';
import { openDatabase } from './platform/foundation/database.ts';
import { installationOf } from './platform/foundation/foundation.ts';

const settings = (): { config: MasterConfig; logger: Logger } => {
  const config = readConfig(MasterConfig, environment());
  return { config, logger: newLogger({ level: config.log.level, name: 'master' }) };
};

/** Makes all read models anew from the archive, beside those in use; masters go on meanwhile. */
const rebuildProjections = async (): Promise<void> => {
  const { config, logger } = settings();
  const installation = installationOf(await loadKeys(config.keysDir));
  const { source, pool } = await openDatabase({ ...catalogue, url: config.postgres.url, clock: systemClock, logger, signal: new AbortController().signal });
  const client = new pg.Client({ connectionString: config.postgres.url, application_name: 'holdfast-rebuild' });
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

/** Compares the log with its archive and says what it found; fails when they differ. */
const examineLog = async (): Promise<void> => {
  const { config, logger } = settings();
  const keys = await loadKeys(config.keysDir);
  const bus = await connectMaster({ config: config.nats, keys, clock: systemClock, logger, signal: new AbortController().signal });
  const pool = new pg.Pool({ connectionString: config.postgres.url, max: 1, application_name: 'holdfast-doctor' });
  try {
    const found = await checkLog({ log: logReader(bus.control), sql: pool, installation: installationOf(keys) });
    logger.info('log and archive were compared', { ...found });
    if (found.state !== 'agree') {
      throw fault('conflict', 'log-diverged', `The log is not the one the archive copied (${found.state}); see the runbook log-diverged before you re-append`);
    }
  } finally {
    await pool.end();
    await bus.control.close();
    await bus.system.close();
  }
};

const jobs: Readonly<Record<string, () => Promise<void>>> = {
  'projections rebuild': rebuildProjections,
  'doctor log': examineLog,
};

/** The jobs of an operator that need the master's own settings: `projections rebuild`, `doctor log`. Throws `unknown-command`. */
export const runAdministration = async (command: string, rest: readonly string[]): Promise<void> => {
  const job = jobs[[command, ...rest].join(' ')];
  if (!job) throw fault('validation', 'unknown-command', `There is no such command; use serve, ${Object.keys(jobs).join(', ')}`);
  await job();
};
