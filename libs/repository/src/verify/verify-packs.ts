import { isAppError } from '#kernel';
import { addPacks, type CataloguedPack, troubleOf } from '../catalog/pack-catalog.ts';
import { deriveSubkeys } from '../format/keys.ts';
import { frameClass } from '../format/limits.ts';
import { readObject } from '../format/read-object.ts';
import { copyState, type PackCheck, type PackCheckResult } from './check-pack.ts';
import { CheckPool } from './check-pool.ts';
import type { AskedKeys } from './verify-keys.ts';
import type { VerifyState } from './verify-state.ts';

/** Reads all directories; a pack whose directory cannot be read is a finding. */
export const readDirectories = async (state: VerifyState, repositoryId: string): Promise<void> => {
  const { options, catalog, findings, listing } = state;
  if (!options.keys) return;
  const signal = options.signal ? { signal: options.signal } : {};
  await addPacks(catalog, { reader: options.store, keys: options.keys, repositoryId, ...signal }, listing.kinds.pack);
  for (const { name, error } of catalog.troubles) {
    // A missing key is a finding of its own.
    if (isAppError(error) && error.code === 'key-not-available') continue;
    state.packFindings.set(name, findings.thrown(name, error));
  }
  state.states = new Uint8Array(catalog.locations.size).fill(copyState.good);
};

const keysOf = async (state: VerifyState, pack: CataloguedPack, keys: AskedKeys): Promise<Map<string, Uint8Array>> => {
  const wanted = new Set([`catalog ${pack.catalogKeyId}`]);
  for (let i = pack.frames.from; i < pack.frames.to; i++) {
    const frame = state.catalog.locations.frames[i];
    if (frame) wanted.add(`${frame.class === frameClass.data ? 'data' : 'catalog'} ${frame.keyId}`);
  }
  const found = new Map<string, Uint8Array>();
  for (const name of wanted) {
    const [keyClass, keyId = ''] = name.split(' ') as ['data' | 'catalog', string];
    const key = await keys.get(keyClass, keyId);
    if (key) found.set(name, key.bytes);
  }
  return found;
};

const note = (state: VerifyState, pack: { readonly name: string; readonly catalogued: CataloguedPack | undefined }, result: PackCheckResult): void => {
  const { name, catalogued } = pack;
  const range = catalogued?.chunks;
  const decoded = state.options.level === 3 && range !== undefined && result.states.length === range.to - range.from;
  if (decoded) state.states.set(result.states, range.from);
  if (result.hashMatches && !result.damage) return;
  const detail = result.damage ?? { code: 'object-damaged', detail: `${name} does not hold the bytes that its name promises` };
  state.packFindings.set(name, state.findings.add(name, { kind: 'damaged', ...detail }));
  if (range && !decoded) state.states.fill(copyState.damaged, range.from, range.to);
};

/** Levels 2 and 3: reads every pack whole, in threads when there is much; memory holds as many packs as there are threads, whatever is in the target. */
export const checkPacks = async (state: VerifyState, keys: AskedKeys, repositoryId: string, idKeyIds: readonly string[]): Promise<void> => {
  const { options, listing, catalog, findings } = state;
  const total = listing.kinds.pack.reduce((sum, pack) => sum + pack.size, 0);
  const pool = new CheckPool(options.workers ?? (total > 64 * 1024 * 1024 ? 2 : 0));
  const idKey = options.level === 3 && idKeyIds[0] !== undefined ? await keys.get('id', idKeyIds[0]) : undefined;
  const chunkIdKey = idKey && deriveSubkeys(idKey.bytes).chunkId;
  const one = async ({ name }: { readonly name: string }): Promise<void> => {
    const catalogued = catalog.pack(name);
    try {
      const result = await pool.check(options.signal, async (): Promise<PackCheck> => {
        const bytes = await readObject(options.store, name, options.signal);
        state.bytes += bytes.length;
        const decode = options.level === 3 && catalogued
          ? { repositoryId, keys: await keysOf(state, catalogued, keys), ...(chunkIdKey ? { chunkIdKey } : {}) } : undefined;
        return { name, bytes, ...(decode ? { decode } : {}) };
      });
      note(state, { name, catalogued }, result);
    } catch (error) {
      options.signal?.throwIfAborted();
      state.packFindings.set(name, findings.thrown(name, error));
      if (catalogued) state.states.fill(troubleOf(error) === 'unreachable' ? copyState.unreachable : copyState.damaged, catalogued.chunks.from, catalogued.chunks.to);
    }
    state.objects++;
    options.onProgress?.({ phase: 'packs', objects: state.objects, totalObjects: listing.kinds.pack.length, bytes: state.bytes, findings: findings.count });
  };
  try {
    // The pool holds back what it has no place for, before it is fetched.
    await Promise.all(listing.kinds.pack.map(one));
  } finally {
    await pool.close();
  }
};
