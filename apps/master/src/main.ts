import 'reflect-metadata';
import { environment, readConfig } from '#config';
import { isAppError, messageOf, randomIds, systemClock } from '#kernel';
import { newLogger } from '#observability';
import { runAdministration } from './administration.ts';
import { startMaster } from './application.ts';
import { MasterConfig } from './platform/config/master.config.ts';

const bootLogger = newLogger({ level: 'info', name: 'master' });

const fail = (error: unknown): never => {
  const internal = isAppError(error) && error.internal ? { internal: error.internal } : {};
  const stack = isAppError(error) ? {} : { stack: error instanceof Error ? error.stack : undefined };
  bootLogger.error('the master cannot go on', { error: messageOf(error), ...internal, ...stack });
  process.exit(1);
};

const serve = async (): Promise<void> => {
  const config = readConfig(MasterConfig, environment());
  const logger = newLogger({ level: config.log.level, name: 'master' });
  const stopping = new AbortController();
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => { stopping.abort(new Error(`ended by ${signal}`)); resolve(); });
    }
  });
  const master = await startMaster({ config, clock: systemClock, ids: randomIds, logger }, stopping.signal);
  await Promise.race([asked, master.lost]);
  await master.stop();
};

const [command = 'serve', ...rest] = process.argv.slice(2);
const work = command === 'serve' ? serve() : runAdministration(command, rest);
work.then(() => process.exit(0), fail);
