import type { WrappedKey } from '#contracts';
import type { AttemptKeys, Key, KeyClass } from '../format/keys.ts';
import type { ChunkerLimits } from '../format/limits.ts';
import { objectNames, repositoryFile } from '../format/names.ts';
import { encodeRepositoryFile } from '../format/repository-file.ts';
import { wrapKey } from '../format/wrapping.ts';
import type { WriterIdentity } from '../state/identity.ts';
import type { ObjectPutter } from './object-putter.ts';

/** To whom keys are wrapped. */
export interface Recipients {
  readonly dataRecipients: readonly string[];
  readonly catalogRecipients: readonly string[];
}

const writeKey = async (
  putter: ObjectPutter, keyClass: KeyClass, key: Key, recipients: readonly string[],
): Promise<WrappedKey> => {
  const file = await wrapKey(key, recipients);
  const name = { id: objectNames.idKey, data: objectNames.dataKey, catalog: objectNames.catalogKey }[keyClass];
  await putter.put((sha256) => name(key.id, sha256), file);
  return { keyId: key.id, class: keyClass, file: file.toString('base64') };
};

/** Makes a repository: the wrapped id key, then `repository.json`. Harmless when it is there already. */
export const createRepository = async (
  putter: ObjectPutter, identity: WriterIdentity, recipients: Recipients, chunker: ChunkerLimits,
): Promise<WrappedKey> => {
  const wrapped = await writeKey(putter, 'id', identity.idKey, recipients.dataRecipients);
  await putter.put(() => repositoryFile, encodeRepositoryFile(identity.repositoryId, identity.idKey.id, chunker));
  return wrapped;
};

/** Writes the wrapped keys of an attempt; nothing may be sealed with them that is stored before this resolves. */
export const writeAttemptKeys = (putter: ObjectPutter, keys: AttemptKeys, recipients: Recipients): Promise<WrappedKey[]> => Promise.all([
  writeKey(putter, 'data', keys.data, recipients.dataRecipients),
  writeKey(putter, 'catalog', keys.catalog, [...recipients.dataRecipients, ...recipients.catalogRecipients]),
]);
