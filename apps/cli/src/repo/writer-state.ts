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

/** Undefined where there is no file; null where it is not JSON or holds no object. */
const readObject = (path: string): Readonly<Record<string, unknown>> | undefined | null => {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' ? value as Readonly<Record<string, unknown>> | null : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((one) => typeof one === 'string');

const isLast = (value: unknown): value is LastSnapshots[string] =>
  typeof value === 'object' && value !== null && 'sha256' in value && typeof value.sha256 === 'string' && 'time' in value && typeof value.time === 'string';

const writeJson = (path: string, value: unknown): void => {
  writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

/** Writes to whom this writer encrypts. */
export const writeSettings = (stateDir: string, settings: WriterSettings): void => {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  writeJson(join(stateDir, 'recipients.json'), settings);
};

/** Throws `repository-not-initialized` when `repo init` has not been run with this state directory, `writer-state-damaged` when nobody can tell to whom it encrypts. */
export const readSettings = (stateDir: string): WriterSettings => {
  const file = join(stateDir, 'recipients.json');
  const settings = readObject(file);
  if (settings === undefined) throw fault('not-found', 'repository-not-initialized', `There is no writer's state in ${stateDir}; make one with: holdfast repo init`);
  const { dataRecipients, catalogRecipients } = settings ?? {};
  if (isTexts(dataRecipients) && isTexts(catalogRecipients)) return { dataRecipients, catalogRecipients };
  throw fault('refused', 'writer-state-damaged', `${file} is damaged: it does not say to whom to encrypt. Run holdfast repo init again with the same --repository, --state and recipients; `
    + 'it writes the file anew and leaves the repository as it is');
};

/** What cannot be understood counts as never written: a snapshot without a predecessor lacks nothing. */
export const readLastSnapshots = (stateDir: string): LastSnapshots =>
  Object.fromEntries(Object.entries(readObject(join(stateDir, 'last.json')) ?? {}).filter((entry): entry is [string, LastSnapshots[string]] => isLast(entry[1])));

export const writeLastSnapshots = (stateDir: string, last: LastSnapshots): void => writeJson(join(stateDir, 'last.json'), last);
