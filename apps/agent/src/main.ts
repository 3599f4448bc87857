import 'reflect-metadata';
import { environment } from '#config';
import { isAppError, isBundled, messageOf, systemClock } from '#kernel';
import { newLogger } from '#observability';
import { readAgentConfig } from './config.ts';
import { enrolCommand } from './enrol/enrol.command.ts';
import { uninstallCommand } from './install/uninstall.ts';
import { serve } from './serve.ts';
import { restartCode } from './upgrade/launch.ts';
import { become } from './upgrade/launch-here.ts';
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
  // "serve FILE": a version that the installed file FILE has started.
  const launcher = args[0] === 'serve' ? args[1] : isBundled() ? process.execPath : undefined;
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ending.abort(new Error(`Ended by ${signal}`)));
  // Whoever ended the launcher wanted the agent to end.
  if (process.connected) process.on('disconnect', () => ending.abort(new Error('The launcher is gone')));
  const end = await serve({
    config, launcher, clock: systemClock, logger: newLogger({ level: config.log.level, name: 'agent' }), signal: ending.signal,
    environment: Object.fromEntries(forDataPlanes.map((name) => [name, variables[name]])),
  }).catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  if (end !== 'restart' || launcher === undefined) return;
  if (process.connected) process.exit(restartCode);
  become(launcher, []);
};

run(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.detail}` : messageOf(error)}\n`);
    process.exit(1);
  },
);
