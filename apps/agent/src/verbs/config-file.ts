import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Variables } from '#config';
import { fault, messageOf } from '#kernel';

/** Where the install script writes the settings of the service. */
const installed = '/etc/holdfast/agent.env';

/** Settings of a file (`NAME=value`, one a line) go before those of the environment. Throws `config-unreadable`. */
export const withSettings = (file: string | undefined, variables: Variables): Variables => {
  if (file === undefined) return variables;
  try {
    return { ...variables, ...parseEnv(readFileSync(file, 'utf8')) };
  } catch (cause) {
    throw fault('validation', 'config-unreadable', `${file} cannot be read (${messageOf(cause)}); correct the path of --config`, { cause });
  }
};

/** The settings of the agent that is installed on this host, where they may be read; those of the environment go before them. */
export const withInstalledSettings = (variables: Variables): Variables => {
  try {
    return { ...parseEnv(readFileSync(installed, 'utf8')), ...variables };
  } catch {
    return variables;
  }
};
