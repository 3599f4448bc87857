import { parseArgs } from 'node:util';
import type { Variables } from '#config';
import { fault, messageOf } from '#kernel';
import { readEnrolConfig } from '../config.ts';
import { installModeOf } from '../install/install-mode.ts';
import { openStateDirectory } from '../state/state-directory.ts';
import { enrol } from './enrol.ts';

const usage = 'Usage: agent enrol --master URL [--token TOKEN] [--state DIR] [--again]; the token may instead stand in HOLDFAST_ENROL_TOKEN';

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args], strict: true,
      options: { master: { type: 'string' }, token: { type: 'string' }, state: { type: 'string' }, again: { type: 'boolean', default: false } },
    }).values;
  } catch (cause) {
    throw fault('validation', 'invalid-arguments', `${messageOf(cause)}. ${usage}`, { cause });
  }
};

/** `agent enrol ...`: resolves with the line to print. */
export const enrolCommand = async (args: readonly string[], variables: Variables): Promise<string> => {
  const values = parse(args);
  const config = readEnrolConfig(variables);
  const token = values.token ?? config.token;
  if (!values.master || !URL.canParse(values.master)) throw fault('validation', 'invalid-arguments', `Say the master's URL with --master. ${usage}`);
  if (!token) throw fault('validation', 'invalid-arguments', `Say the token of an enrolment link. ${usage}`);
  const state = openStateDirectory(values.state ?? config.stateDir);
  const node = await enrol({ state, master: values.master, token, again: values.again, installMode: installModeOf(config) });
  return `${state.root} is ${node} now; start the agent with HOLDFAST_STATE_DIR=${state.root}`;
};
