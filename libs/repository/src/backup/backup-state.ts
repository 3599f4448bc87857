import { mkdir } from 'node:fs/promises';
import { hasCode } from '#kernel';
import { chunkIdBytes } from '../format/chunk-id.ts';
import { type Leftovers, readLeftovers } from '../state/journal.ts';
import { importKnownIds, type KnownChunks, loadKnownChunks, noKnownChunks, packsOf, writeKnownChunks } from '../state/known-chunks.ts';
import { ManifestCache, taskDirectory } from '../state/manifest-cache.ts';
import { removeAbandoned } from '../state/temporary-file.ts';
import type { PackedIds } from '../state/sorted-ids.ts';
import { sortedShared } from '../state/sorted-ids.ts';
import { readTotals, type Totals } from '../state/totals.ts';
import type { BackupOptions } from './backup-options.ts';

/** What the state directory knows at the start of an attempt. */
export interface BackupState {
  readonly directory: string;
  readonly known: KnownChunks;
  readonly cache: ManifestCache | undefined;
  readonly leftovers: Leftovers;
  readonly trusted: boolean;
  /** What the last snapshot of the task held: what is to be expected of this one. */
  readonly expected: Totals | undefined;
}

/** Ids and pack indexes of several packs as one table. */
export const packedIds = (packs: readonly { readonly ids: Uint8Array }[]): PackedIds => {
  const ids = Buffer.concat(packs.map((pack) => pack.ids));
  const indexes = new Uint32Array(ids.length / chunkIdBytes);
  let at = 0;
  packs.forEach((pack, index) => {
    const count = pack.ids.length / chunkIdBytes;
    indexes.fill(index, at, at + count);
    at += count;
  });
  return { ids, packs: indexes };
};

/** Chunks of interrupted attempts are stored, chunks of packs that the target has lost are not. */
const adoptAndForget = async (options: BackupOptions, known: KnownChunks, leftovers: Leftovers): Promise<KnownChunks> => {
  const { presentPacks } = options.repository;
  const present = presentPacks && new Set([...presentPacks].map((name) => name.slice(-64)));
  const packs = leftovers.packs.filter((pack) => !present || present.has(pack.name.slice(-64)));
  const listed = new Set(packsOf(known));
  const isGone = present ? (pack: string) => listed.has(pack) && !present.has(pack) : undefined;
  const adopted = packs.filter((pack) => !known.packs.includes(pack.name.slice(-64)));
  if (adopted.length === 0 && !known.packs.some((pack) => isGone?.(pack))) return known;
  const change = { packNames: adopted.map((pack) => pack.name), added: packedIds(adopted) };
  await writeKnownChunks(options.stateDir, known, isGone ? { ...change, forget: isGone } : change);
  const { generation, table } = known;
  return (await loadKnownChunks(options.stateDir, generation, table.condemned)) ?? noKnownChunks(generation, table.condemned);
};

/** What a list of stored chunks may be found to be: then nothing is known, and everything is uploaded. */
const unusable = ['known-list-damaged', 'object-too-large', 'object-damaged'];

/** What the master knows to be stored, where the cache is lost or of another generation. A damaged list is none: all is stored again. */
const importKnown = async ({ repository, stateDir }: BackupOptions, condemned: Uint8Array): Promise<KnownChunks> => {
  const { generation, importedKnown } = repository;
  const nothing = noKnownChunks(generation, condemned);
  if (!importedKnown) return nothing;
  try {
    await importKnownIds(stateDir, generation, importedKnown);
  } catch (error) {
    if (unusable.some((code) => hasCode(error, code))) return nothing;
    throw error;
  }
  return (await loadKnownChunks(stateDir, generation, condemned)) ?? nothing;
};

/** Loads and repairs the state; what cannot be trusted is left out. */
export const openBackupState = async (options: BackupOptions): Promise<BackupState> => {
  const { repository, stateDir } = options;
  const condemned = sortedShared(repository.condemned ?? new Uint8Array(0));
  const directory = taskDirectory(stateDir, options.subject.taskId);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  removeAbandoned(stateDir);
  const loaded = (await loadKnownChunks(stateDir, repository.generation, condemned)) ?? await importKnown(options, condemned);
  const leftovers = readLeftovers(directory, repository.generation);
  const known = await adoptAndForget(options, loaded, leftovers);
  const cache = ManifestCache.open(directory);
  const trusted = cache?.stamp.epoch === known.epoch && condemned.length === 0;
  return { directory, known, cache, leftovers, trusted, expected: readTotals(directory) };
};
