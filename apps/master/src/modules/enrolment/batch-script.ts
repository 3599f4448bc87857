import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../platform/version.ts';
import type { InstallOptions } from './domain/enrolment.events.ts';
import { shellWord as word } from './shell-word.ts';

/** What the script of a batch knows. */
export interface BatchScriptSettings {
  /** URL of the master, as the hosts reach it. */
  readonly master: string;
  readonly nodes: readonly { readonly name: string; readonly token: string }[];
  /** RFC 3339. */
  readonly expiresAt: string;
  readonly install: InstallOptions;
}

/** The script that installs the agents of one batch from an operator's machine. Holds the tokens of all of its links. */
export const batchScript = ({ master, nodes, expiresAt, install }: BatchScriptSettings): string => {
  const template = readFileSync(join(projectRoot, 'deploy', 'install', 'batch.sh'), 'utf8');
  const { mode, proxy = '', ca = '' } = install;
  const list = `names() {\n  printf '%s\\n' \\\n${nodes.map(({ name }) => `    ${word(name)}`).join(' \\\n')}\n}\n`;
  const urls = nodes.map(({ name, token }) => `    ${word(name)}) echo ${word(`${master}/install/${token}`)} ;;\n`).join('');
  const functions = `mode=${word(mode)}\n${list}\nurl_of() {\n  case $1 in\n${urls}    *) return 1 ;;\n  esac\n}\n`;
  return template
    .replaceAll('#UNTIL#', () => expiresAt)
    .replace('#NODES#\n', () => `${functions}\n`)
    .replace('#SETTINGS#\n', () => `proxy=${word(proxy)}\nca=${word(ca)}\n`);
};
