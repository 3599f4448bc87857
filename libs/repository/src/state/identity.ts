import { open, readFile, link, mkdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fault } from '#kernel';
import { generateKey, type Key, keyFrom, repositoryIdOf } from '../format/keys.ts';
import { temporaryPath } from './temporary-file.ts';

/** What makes a writer the writer of one repository. */
export interface WriterIdentity {
  /** Never rotated; kept in the writer's state directory and, wrapped to the data recipients, in the target. Secret. */
  readonly idKey: Key;
  /** 32 hex digits. */
  readonly repositoryId: string;
}

const fileName = 'id-key';

const identityOf = (idKey: Key): WriterIdentity => ({ idKey, repositoryId: repositoryIdOf(idKey.bytes) });

const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;

/** The identity kept in a state directory, undefined when there is none yet. */
export const readWriterIdentity = async (stateDir: string): Promise<WriterIdentity | undefined> => {
  try {
    return identityOf(keyFrom(await readFile(join(stateDir, fileName))));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};

const writeOnce = async (stateDir: string, key: Key): Promise<void> => {
  const temporary = temporaryPath(stateDir, fileName);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(key.bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, join(stateDir, fileName));
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(temporary);
  }
  const folder = await open(stateDir, 'r');
  await folder.sync().finally(() => folder.close());
};

/** The identity kept in a state directory; makes one (mode 0600, durable) when there is none. Two that race get the same one. */
export const ensureWriterIdentity = async (stateDir: string): Promise<WriterIdentity> => {
  const existing = await readWriterIdentity(stateDir);
  if (existing) return existing;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeOnce(stateDir, generateKey());
  const made = await readWriterIdentity(stateDir);
  if (!made) throw fault('internal', 'id-key-lost', `The id key in ${stateDir} vanished; check who else writes there`);
  return made;
};

/**
 * Makes a state directory that of the writer with this id key, which was handed back to it. What the directory held is thrown away: the
 * caches and journals of another writer.
 */
export const adoptWriterIdentity = async (stateDir: string, idKey: Key): Promise<WriterIdentity> => {
  await rm(stateDir, { recursive: true, force: true });
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeOnce(stateDir, idKey);
  return identityOf(idKey);
};
