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

const serve = async (signal: AbortSignal): Promise<void> => {
  const config = readConfig(MasterConfig, environment());
  const logger = newLogger({ level: config.log.level, name: 'master' });
  const master = await startMaster({ config, clock: systemClock, ids: randomIds, logger }, signal);
  const asked = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([asked, master.lost]);
  await master.stop();
};

const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stopping.abort(new Error(`ended by ${name}`)));
const words = process.argv.slice(2);
const serves = words.length === 0 || (words.length === 1 && words[0] === 'serve');
const work = serves ? serve(stopping.signal) : runAdministration(words, stopping.signal);
work.then(() => process.exit(0), fail);
