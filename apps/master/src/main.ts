import 'reflect-metadata';
import { environment, readConfig } from '#config';
import { fault, isAppError, messageOf, randomIds, systemClock } from '#kernel';
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

/** A job ends with one JSON object: what was done on the standard output, or the error on the standard error, both as of the command line. */
const runJob = async (words: readonly string[], signal: AbortSignal): Promise<void> => {
  try {
    process.stdout.write(`${JSON.stringify(await runAdministration(words, signal))}\n`);
  } catch (error) {
    const { kind, code, detail, fields, internal } = isAppError(error) ? error : fault('internal', 'internal-error', messageOf(error));
    process.stderr.write(`${JSON.stringify({ message_type: 'error', kind, code, detail, errors: fields, internal })}\n`);
    process.exit(1);
  }
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
const work = serves ? serve(stopping.signal) : runJob(words, stopping.signal);
work.then(() => process.exit(0), fail);
