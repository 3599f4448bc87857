import type { Variables } from '#config';
import { readEnrolConfig } from '../config.ts';
import { installModeOf } from '../install/install-mode.ts';
import { httpOf, networkOf } from '../network/network.ts';
import { openStateDirectory } from '../state/state-directory.ts';
import { masterUrl, misused, parseFlags } from '../verbs/arguments.ts';
import { requireTest, insecureWarning } from '../verbs/insecure-tls.ts';
import { tokenOf, tokenOptions } from '../verbs/token.ts';
import { enrol } from './enrol.ts';

const warn = (words: string): void => void process.stderr.write(`${words}\n`);

/** `agent enrol ...`: resolves with the line to print. */
export const enrolCommand = async (args: readonly string[], variables: Variables): Promise<string> => {
  const values = parseFlags('enrol', args, {
    ...tokenOptions, master: { type: 'string' }, state: { type: 'string' }, again: { type: 'boolean', default: false }, 'insecure-tls': { type: 'boolean', default: false },
  });
  const config = readEnrolConfig(variables);
  const master = masterUrl('enrol', values.master);
  const insecureTls = values['insecure-tls'];
  if (insecureTls) {
    requireTest(master, config.network.mayBeInsecure);
    warn(insecureWarning);
  }
  const token = tokenOf(values, config.token, warn);
  if (!token) throw misused('enrol', 'Say the token of an enrolment link');
  const state = openStateDirectory(values.state ?? config.stateDir);
  const http = httpOf(networkOf(config.network, { insecureTls }));
  try {
    const node = await enrol({ state, master, token, http, again: values.again, installMode: installModeOf(config) });
    return `${state.root} is ${node} now; start the agent with HOLDFAST_STATE_DIR=${state.root}`;
  } finally {
    http.close();
  }
};
