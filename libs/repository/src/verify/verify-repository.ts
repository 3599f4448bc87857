import { fault } from '#kernel';
import { listObjects } from '../catalog/list-objects.ts';
import { PackCatalog } from '../catalog/pack-catalog.ts';
import { handedKeys } from '../keys/key-ring.ts';
import { Findings } from './findings.ts';
import { AskedKeys, isNotRecipient, reportMissingKeys, wrappedKeysOf } from './verify-keys.ts';
import { checkHashes, checkRepositoryFile, checkStoredHashes, readSnapshots } from './verify-objects.ts';
import type { VerifyOptions, VerifyResult } from './verify-options.ts';
import { checkPacks, readDirectories } from './verify-packs.ts';
import { SnapshotVerifier } from './verify-snapshot.ts';
import type { VerifyState } from './verify-state.ts';

const begin = async (options: VerifyOptions): Promise<VerifyState> => {
  const { store, signal } = options;
  const findings = new Findings();
  const listing = await listObjects(store, signal ? { signal } : {});
  const wanted = { ...(options.snapshots ? { wanted: options.snapshots } : {}), ...(signal ? { signal } : {}) };
  const snapshots = await readSnapshots(findings, store, listing, wanted);
  await checkRepositoryFile(findings, store, { snapshots, listing, ...(signal ? { signal } : {}) });
  const notes = listing.strangers.slice(0, 100).map((name) => `${name} is not of a repository`);
  return {
    options, findings, notes, listing, snapshots, byKey: wrappedKeysOf(listing), catalog: new PackCatalog(),
    states: new Uint8Array(0), packFindings: new Map(), bytes: 0, objects: 0,
  };
};

const reportExpected = (state: VerifyState): void => {
  const { listing, findings } = state;
  const present = new Set(Object.values(listing.kinds).flatMap((objects) => objects.map((object) => object.name)));
  for (const name of state.options.expected ?? []) {
    if (present.has(name) || name === 'repository.json') continue;
    const key = findings.add(name, { kind: 'missing', code: 'object-not-found', detail: `${name} was recorded and is not there` });
    const snapshot = /^snapshots\/([^/]+)\//.exec(name)?.[1];
    if (snapshot !== undefined) findings.lose(key, { snapshot, whole: true });
  }
};

const noteBrokenChain = (state: VerifyState): void => {
  const hashes = new Set(state.listing.kinds.snapshot.map(({ parsed }) => parsed.sha256));
  for (const { header } of state.snapshots) {
    if (header.previous !== undefined && !hashes.has(header.previous)) {
      state.notes.push(`The snapshot before ${header.snapshot} is not there: pruned, or lost`);
    }
  }
};

/** Keys that open nothing: what a level promises could not be kept. Damaged keys are findings instead. */
const requireKeys = async (state: VerifyState, keys: AskedKeys): Promise<void> => {
  const { level } = state.options;
  if (level !== 3 && level !== '2c') return;
  if (!state.options.keys) throw fault('validation', 'identity-missing', `Level ${level} needs an identity; give --identity FILE`);
  const [keyClass, idOf] = level === 3 ? ['data', 'dataKey'] as const : ['catalog', 'catalogKey'] as const;
  if (state.findings.count > 0 || state.snapshots.length === 0) return;
  for (const { header } of state.snapshots) {
    const error = await keys.error(keyClass, header[idOf]);
    if (!isNotRecipient(state.byKey, keyClass, header[idOf], error)) return;
    const objects = state.byKey.get(`${keyClass} ${header[idOf]}`) ?? [];
    // A flipped bit in an age header looks like a file for somebody else.
    if ((await checkHashes(new Findings(), state.options.store, objects, state.options.signal)) === 0) return;
  }
  const hint = level === 3 ? 'of a data recipient' : 'of a data or catalog recipient';
  throw fault('forbidden', 'key-not-available', `The given identity opens no key of this repository; level ${level} needs an identity ${hint}`);
};

const checkObjects = async (state: VerifyState): Promise<void> => {
  const { options: { store, level, signal }, findings, listing: { kinds } } = state;
  const small = [...kinds['id-key'], ...kinds['data-key'], ...kinds['catalog-key'], ...kinds.index, ...kinds['key-bundle']];
  if (level === 2 || level === 3) state.bytes += await checkHashes(findings, store, small, signal);
  else await checkStoredHashes(findings, store, [...kinds.pack, ...small], signal);
};

/**
 * Verifies a repository. Whatever lies in the target, the answer is a list of findings with what they cost; only an abort, a missing
 * identity and a listing that fails throw. A failed fetch is `unreachable`, never damage. Without keys nothing but names, presence
 * of keys and (at 2) hashes can be checked, and a lost pack is known only to `expected`.
 */
export const verifyRepository = async (options: VerifyOptions): Promise<VerifyResult> => {
  const state = await begin(options);
  const keys = new AskedKeys(options.keys ?? handedKeys([]));
  const { findings, listing, snapshots } = state;
  reportMissingKeys(findings, state.byKey, snapshots);
  reportExpected(state);
  noteBrokenChain(state);
  await checkObjects(state);
  await requireKeys(state, keys);
  const repositoryId = snapshots[0]?.header.repository ?? '';
  if (repositoryId !== '') await readDirectories(state, repositoryId);
  if (options.level === 2 || options.level === 3) await checkPacks(state, keys, repositoryId, snapshots.map(({ header }) => header.idKey));
  for (const snapshot of snapshots) {
    await new SnapshotVerifier(state, keys, snapshot).verify();
    options.onProgress?.({ phase: 'snapshots', objects: state.objects, totalObjects: listing.kinds.pack.length, bytes: state.bytes, findings: findings.count });
  }
  const objects = Object.values(listing.kinds).reduce((sum, list) => sum + list.length, 0);
  return {
    level: options.level, outcome: findings.outcome, findings: findings.list(), notes: state.notes,
    checked: { snapshots: snapshots.length, packs: listing.kinds.pack.length, objects, chunks: state.catalog.locations.size, bytes: state.bytes },
  };
};
