import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { type MemoryStore, memoryStore, type ObjectStore } from '#storage';
import { frameCipher } from '../format/frame.ts';
import { deriveSubkeys, generateAttemptKeys, generateKey, repositoryIdOf } from '../format/keys.ts';
import { formatVersion } from '../format/limits.ts';
import { objectNames, repositoryFile } from '../format/names.ts';
import { repositoryFileOf } from '../format/repository-file.ts';
import { encodeCatalogSection, encodeDataSection } from '../format/sections.ts';
import { encodeSnapshot } from '../format/snapshot.ts';
import { handedKeys } from '../keys/key-ring.ts';
import { verifyRepository } from './verify-repository.ts';

const snapshots = 16;
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const put = (store: MemoryStore, name: (hash: Buffer) => string, bytes: Buffer): void => void store.objects.set(name(sha256(bytes)), bytes);

/** Large snapshots, as of a million files, without the files. */
const large = () => {
  const [{ data, catalog }, idKey, store] = [generateAttemptKeys(), generateKey(), memoryStore()];
  const repository = repositoryIdOf(idKey.bytes);
  store.objects.set(repositoryFile, repositoryFileOf(idKey));
  put(store, (hash) => objectNames.idKey(idKey.id, hash), Buffer.from('wrapped'));
  put(store, (hash) => objectNames.dataKey(data.id, hash), Buffer.from('wrapped'));
  put(store, (hash) => objectNames.catalogKey(catalog.id, hash), Buffer.from('wrapped'));
  for (let i = 1; i <= snapshots; i++) {
    const plain = encodeDataSection({ task: { id: 'task_1' }, source: { type: 'files', noise: randomBytes(90_000).toString('hex') }, statistics: {}, index: [] });
    const object = encodeSnapshot({
      format: formatVersion, requires: [], repository, snapshot: `snap_${i}`, task: 'task_1', time: '2026-01-01T00:00:00.000Z', idKey: idKey.id, dataKey: data.id, catalogKey: catalog.id,
    }, { catalog: { form: 'inline', plain: encodeCatalogSection([]) }, data: { form: 'inline', plain } }, {
      catalog: frameCipher(repository, catalog), data: frameCipher(repository, data), macKey: deriveSubkeys(idKey.bytes).snapshot,
    });
    put(store, (hash) => objectNames.snapshot(`snap_${i}`, hash), object);
  }
  return { store, keys: handedKeys([{ class: 'id', key: idKey }, { class: 'data', key: data }, { class: 'catalog', key: catalog }]) };
};

it('however many snapshots there are, a verification has no more than a few of them in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { store, keys } = large();
  const fetched: WeakRef<ArrayBufferLike>[] = [];
  let most = 0;
  const watched: ObjectStore = {
    ...store,
    get: async (name, range, options) => {
      const bytes = await store.get(name, range, options);
      await turn();
      collect();
      most = Math.max(most, fetched.filter((one) => one.deref() !== undefined).length);
      if (name.startsWith('snapshots/')) fetched.push(new WeakRef(bytes.buffer));
      return bytes;
    },
  };
  expect(await verifyRepository({ store: watched, level: '2c', keys })).toMatchObject({ outcome: 'intact', checked: { snapshots } });
  expect(fetched.length).toBeGreaterThanOrEqual(snapshots);
  expect(most).toBeLessThan(5);
});
