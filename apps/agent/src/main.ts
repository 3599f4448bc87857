import 'reflect-metadata';
import { environment } from '#config';
import { isAppError, messageOf, systemClock } from '#kernel';
import { newLogger } from '#observability';
import { readAgentConfig } from './config.ts';
import { enrolCommand } from './enrol/enrol.command.ts';
import { uninstallCommand } from './install/uninstall.ts';
import { serve } from './serve.ts';
import { agentVersion } from './version.ts';

/**
 * Variables that a data plane needs: where programs are, how to read names and times, and the way into the network. Nothing that was
 * given to the agent alone.
 */
const forDataPlanes = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'NODE_USE_ENV_PROXY', 'NODE_EXTRA_CA_CERTS'];

const run = async (args: readonly string[]): Promise<void> => {
  const variables = environment();
  if (args[0] === 'enrol') {
    process.stdout.write(`${await enrolCommand(args.slice(1), variables)}\n`);
    return;
  }
  if (args[0] === '--version') {
    process.stdout.write(`${agentVersion}\n`);
    return;
  }
  if (args[0] === 'uninstall') {
    process.stdout.write(`${uninstallCommand(args.slice(1))}\n`);
    return;
  }
  const config = readAgentConfig(variables);
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort(new Error(`Ended by ${signal}`)));
  await serve({
    config, clock: systemClock, logger: newLogger({ level: config.log.level, name: 'agent' }), signal: ending.signal,
    environment: Object.fromEntries(forDataPlanes.map((name) => [name, variables[name]])),
  }).catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
};

run(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.detail}` : messageOf(error)}\n`);
    process.exit(1);
  },
);
