import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fault } from '#kernel';
import type { CommandContext } from '../context.ts';

/** What a writer without a master remembers beside its id key: to whom it encrypts. Only the state directory is believed. */
export interface WriterSettings {
  readonly dataRecipients: readonly string[];
  readonly catalogRecipients: readonly string[];
}

/** The last snapshot of each task, by task id: object hash and time. */
export type LastSnapshots = Readonly<Record<string, { readonly sha256: string; readonly time: string }>>;

/** The state directory: as given, or one for each repository below the user's state folder. */
export const stateDirectory = (context: CommandContext, repository: string, given: string | undefined): string => {
  if (given !== undefined) return resolve(given);
  const { XDG_STATE_HOME: stateHome, HOME: home } = context.variables;
  if (!stateHome && !home) throw fault('validation', 'state-unknown', 'Say where the writer keeps its state: --state DIR');
  const name = createHash('sha256').update(repository.startsWith('s3:') ? repository : resolve(repository)).digest('hex').slice(0, 32);
  return join(stateHome ?? join(home ?? '', '.local', 'state'), 'holdfast', `repo-${name}`);
};

const readJson = <T>(path: string): T | undefined => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text) as T;
};

const writeJson = (path: string, value: unknown): void => {
  writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

/** Writes to whom this writer encrypts. */
export const writeSettings = (stateDir: string, settings: WriterSettings): void => {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  writeJson(join(stateDir, 'recipients.json'), settings);
};

/** Throws `repository-not-initialized` when `repo init` has not been run with this state directory. */
export const readSettings = (stateDir: string): WriterSettings => {
  const settings = readJson<WriterSettings>(join(stateDir, 'recipients.json'));
  if (!settings) throw fault('not-found', 'repository-not-initialized', `There is no writer's state in ${stateDir}; make one with: holdfast repo init`);
  return settings;
};

export const readLastSnapshots = (stateDir: string): LastSnapshots => readJson<LastSnapshots>(join(stateDir, 'last.json')) ?? {};

export const writeLastSnapshots = (stateDir: string, last: LastSnapshots): void => writeJson(join(stateDir, 'last.json'), last);
