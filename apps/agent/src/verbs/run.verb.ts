import { statSync } from 'node:fs';
import type { Variables } from '#config';
import { fault, systemClock } from '#kernel';
import { newLogger } from '#observability';
import { type AgentConfig, readAgentConfig } from '../config.ts';
import { enrol } from '../enrol/enrol.ts';
import { installModeOf } from '../install/install-mode.ts';
import { httpOf, networkOf } from '../network/network.ts';
import { serve } from '../serve.ts';
import { readNodeFacts } from '../state/node-identity.ts';
import { openStateDirectory } from '../state/state-directory.ts';
import { restartCode } from '../upgrade/launch.ts';
import { become } from '../upgrade/launch-here.ts';
import { masterUrl, parseFlags } from './arguments.ts';
import { withSettings } from './config-file.ts';
import { insecureWarning, requireTest } from './insecure-tls.ts';
import { type TokenFlags, tokenOf, tokenOptions } from './token.ts';

/** What data planes need: where programs are, how to read names and times, and whom to trust. Nothing that was given to the agent alone. */
const forDataPlanes = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'];

interface RunFlags extends TokenFlags {
  readonly master?: string | undefined;
  readonly 'insecure-tls': boolean;
}

const warn = (words: string): void => void process.stderr.write(`${words}\n`);

/** Throws `invalid-arguments`: data planes would only find out in the middle of a run. */
const checkTemporary = (directory: string | undefined): void => {
  if (directory === undefined || statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  throw fault('validation', 'invalid-arguments', `${directory} is no directory; make it, or correct --temp-dir`);
};

/** The master that the agent is or will be of; enrols with the token when this host is no node yet. */
const becomeNode = async (flags: RunFlags, config: AgentConfig, given: string | undefined): Promise<void> => {
  const state = openStateDirectory(config.stateDir);
  const facts = readNodeFacts(state);
  const known = facts?.master;
  const insecureTls = flags['insecure-tls'];
  if (insecureTls) {
    requireTest(known ?? masterUrl('run', flags.master), config.network.mayBeInsecure);
    warn(insecureWarning);
  }
  const token = tokenOf(flags, given, warn);
  if (facts && (flags.token ?? flags['token-file']) !== undefined) {
    warn(`This host is ${facts.node} already, so the token is not used; with the token of a new link for it: holdfast-agent enrol --again --master ${facts.master} --token-file FILE --state ${state.root}`);
  }
  if (facts || token === undefined) return;
  const http = httpOf(networkOf(config.network, { insecureTls }));
  try {
    await enrol({ state, master: masterUrl('run', flags.master), token, http, installMode: installModeOf(config) });
  } finally {
    http.close();
  }
};

/**
 * `holdfast-agent run`, and what the bare program does: serves until it is told to end; resolves with the exit code. With a token it becomes
 * a node first, if it is none.
 * @param launcher the installed file of an agent that is one file, when that decides which version runs.
 */
export const runVerb = async (args: readonly string[], environment: Variables, launcher: string | undefined): Promise<number> => {
  const flags = parseFlags('run', args, {
    ...tokenOptions, master: { type: 'string' }, config: { type: 'string' }, state: { type: 'string' }, 'temp-dir': { type: 'string' },
    'insecure-tls': { type: 'boolean', default: false },
  });
  const variables: Variables = {
    ...withSettings(flags.config, environment),
    ...(flags.state === undefined ? {} : { HOLDFAST_STATE_DIR: flags.state }), ...(flags['temp-dir'] === undefined ? {} : { TMPDIR: flags['temp-dir'] }),
  };
  checkTemporary(flags['temp-dir']);
  const config = readAgentConfig(variables);
  await becomeNode(flags, config, variables['HOLDFAST_ENROL_TOKEN']);
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ending.abort(new Error(`Ended by ${signal}`)));
  // Whoever ended the launcher wanted the agent to end.
  if (process.connected) process.on('disconnect', () => ending.abort(new Error('The launcher is gone')));
  const end = await serve({
    config, launcher, clock: systemClock, logger: newLogger({ level: config.log.level, name: 'agent' }), signal: ending.signal, insecureTls: flags['insecure-tls'],
    environment: Object.fromEntries(forDataPlanes.map((name) => [name, variables[name]])),
  }).catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  if (end !== 'restart' || launcher === undefined) return 0;
  if (process.connected) return restartCode;
  become(launcher, []);
  return 0;
};
