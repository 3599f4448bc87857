import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { type BackupProgress, type BackupResult, ensureWriterIdentity, packNames, runBackup } from '#repository';
import { counted, fault, randomIds, rfc3339 } from '#kernel';
import { filesSource } from '#sources';
import type { ObjectStore } from '#storage';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { humanBytes, humanDuration } from '../format.ts';
import { progressText } from '../progress-text.ts';
import { interruptible } from './interruptible.ts';
import { openStore } from './open-store.ts';
import { requireRepository } from './reader-keys.ts';
import { readLastSnapshots, readSettings, stateDirectory, writeLastSnapshots } from './writer-state.ts';

interface BackupCommandOptions {
  readonly repository: string;
  readonly state?: string;
  readonly exclude: string[];
  readonly oneFileSystem?: boolean;
  readonly excludeCaches: boolean;
}

const packsOf = async (store: ObjectStore): Promise<Set<string>> => {
  const names = new Set<string>();
  for await (const name of packNames(store)) names.add(name);
  return names;
};

/** Nothing may have been pruned away under a running backup: what it relied on must still be there. */
const stillThere = (store: ObjectStore) => async (used: readonly string[]): Promise<void> => {
  const present = await packsOf(store);
  if (used.some((name) => !present.has(name))) {
    throw fault('conflict', 'pruned-meanwhile', 'Packs that this backup relies on were removed while it ran; run it again');
  }
};

/** The same paths are the same task, whatever their order. */
const taskOf = (paths: readonly string[]): string =>
  `paths-${createHash('sha256').update([...paths].sort().join('\0')).digest('hex').slice(0, 24)}`;

const report = (context: CommandContext, result: BackupResult, elapsedMs: number): void => {
  const { statistics, snapshot, faults, faultCount } = result;
  for (const found of faults) context.output.note(`${found.path}: ${found.detail} [${found.code}]`);
  for (const found of faults) context.output.message('fault', found);
  context.output.result('summary', {
    outcome: result.outcome, snapshot_id: snapshot.id, repository_id: result.repositoryId, files: statistics.files, dirs: statistics.directories,
    others: statistics.others, bytes: statistics.bytes, files_read: statistics.filesRead, bytes_read: statistics.bytesRead,
    added_bytes: statistics.addedBytes, stored_bytes: statistics.storedBytes, packs: result.packs.length, faults: faultCount,
    seconds: Math.round(elapsedMs) / 1000, phases_ms: result.phases,
  }, `Snapshot ${snapshot.id}: ${counted(statistics.files, 'file')}, ${humanBytes(statistics.bytes)}; read ${humanBytes(statistics.bytesRead)}, ` +
    `stored ${humanBytes(statistics.storedBytes)} in ${humanDuration(elapsedMs)}${faultCount > 0 ? `; ${counted(faultCount, 'fault')}` : ''}`);
};

const backup = async (context: CommandContext, paths: readonly string[], options: BackupCommandOptions): Promise<void> => {
  const { clock, output } = context;
  const started = clock.monotonic();
  const stateDir = stateDirectory(context, options.repository, options.state);
  const settings = readSettings(stateDir);
  const store = openStore(options.repository);
  if (paths.includes('')) throw fault('validation', 'source-missing', 'One of the paths is empty, which would be the directory that you are in; write . when you mean it');
  const chosen = paths.map((path) => resolve(path));
  const taskId = taskOf(chosen);
  if (!chosen.some((path) => lstatSync(path, { throwIfNoEntry: false }))) {
    throw fault('not-found', 'source-missing', `There is no ${chosen.join(', and no ')}; give paths that are there`);
  }
  await requireRepository(store, options.repository);
  const last = readLastSnapshots(stateDir);
  const previousSnapshot = last[taskId]?.sha256;
  const time = rfc3339(clock.now());
  const onProgress = (done: BackupProgress): void =>
    output.progress(`${progressText(done, clock.monotonic() - started)}  stored ${humanBytes(done.storedBytes)}`);
  const source = filesSource({
    paths: chosen, excludes: options.exclude, oneFileSystem: options.oneFileSystem ?? false, excludeCaches: options.excludeCaches,
  });
  const result = await interruptible(async (signal) => runBackup({
    writer: store, source, stateDir, signal, onProgress, onNote: (code, detail) => output.remark(code, detail), clock, beforeSnapshot: stillThere(store),
    repository: {
      identity: await ensureWriterIdentity(stateDir), ...settings, create: false, generation: 0, presentPacks: await packsOf(store),
    },
    subject: { snapshotId: randomIds.next('snap'), taskId, taskName: chosen.join(' '), time, ...(previousSnapshot ? { previousSnapshot } : {}) },
  }));
  writeLastSnapshots(stateDir, { ...last, [taskId]: { sha256: result.snapshot.sha256, time } });
  report(context, result, clock.monotonic() - started);
  if (result.outcome === 'partial') context.onExitCode(exitCodes.partial);
};

/** `repo backup`. */
export const registerBackup = (repo: Command, context: CommandContext): void => {
  repo.command('backup').description('make a snapshot of paths')
    .argument('<path...>', 'files and directories')
    .requiredOption('--repository <place>', 'a folder, or s3://bucket/prefix')
    .option('--state <dir>', 'where the writer keeps its id key and caches')
    .option('--exclude <pattern>', 'a gitignore pattern; may be given several times', (value: string, before: string[]) => [...before, value], [])
    .option('--one-file-system', 'do not cross into other file systems')
    .option('--no-exclude-caches', 'keep directories that hold a CACHEDIR.TAG')
    .action((paths: string[], options: BackupCommandOptions) => backup(context, paths, options));
};
