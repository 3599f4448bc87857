import { fault } from '#kernel';
import { isObjectNotFound, type ObjectReader, type ObjectWriter } from '#storage';
import { defaultChunker } from '../format/limits.ts';
import { repositoryFile } from '../format/names.ts';
import { readObject } from '../format/read-object.ts';
import { decodeRepositoryFile, type RepositoryDescription } from '../format/repository-file.ts';
import type { WriterIdentity } from '../state/identity.ts';
import { ObjectPutter } from './object-putter.ts';
import { createRepository, type Recipients } from './write-keys.ts';

/** The description of a repository, undefined when there is none. */
export const readRepository = async (reader: ObjectReader): Promise<RepositoryDescription | undefined> => {
  try {
    return decodeRepositoryFile(await readObject(reader, repositoryFile));
  } catch (error) {
    if (isObjectNotFound(error)) return undefined;
    throw error;
  }
};

/** Makes a repository for this writer. Harmless when it is there already; throws `repository-foreign` when it is another writer's. */
export const initRepository = async (
  store: ObjectReader & ObjectWriter, identity: WriterIdentity, recipients: Recipients,
): Promise<RepositoryDescription> => {
  const existing = await readRepository(store);
  if (existing && existing.repository !== identity.repositoryId) {
    throw fault('conflict', 'repository-foreign', 'There is a repository of another writer already; choose another place or the state directory it was made with');
  }
  await createRepository(new ObjectPutter(store), identity, recipients, defaultChunker);
  const made = await readRepository(store);
  if (!made) throw fault('unavailable', 'repository-missing', 'The target does not return the repository that was just written; try again');
  return made;
};
