import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../platform/version.ts';
import { type InstallOptions, shellWord as word } from '../enrolment/index.ts';

/** What the script of one link knows. */
export interface ScriptSettings {
  /** URL of the master, as the host reaches it. */
  readonly master: string;
  readonly token: string;
  /** Name of the node. */
  readonly node: string;
  readonly install: InstallOptions;
}

const place = '  #SETTINGS#\n';

/** The script that installs the agent of one link on a host. Holds the link's token: whoever reads it can enrol, once. */
export const installScript = ({ master, token, node, install }: ScriptSettings): string => {
  const template = readFileSync(join(projectRoot, 'deploy', 'install', 'agent.sh'), 'utf8');
  const { mode, arch, version, proxy = '', ca = '', restores } = install;
  const settings = { master, token, node, mode, arch, version, proxy, ca, restores: restores ? 'yes' : 'no' };
  return template.replace(place, () => Object.entries(settings).map(([name, value]) => `  ${name}=${word(value)}\n`).join(''));
};

/** A script that only says why there is nothing to install. Its status stays 200, or `curl -f` would keep it from the shell that is to say it. */
export const refusalScript = (reason: string): string =>
  `#!/bin/sh\n# holdfast-install v1\nmain() {\n  printf '%s\\n' ${word(`holdfast: ${reason}`)} >&2\n  exit 1\n}\n\nmain </dev/null\n`;
