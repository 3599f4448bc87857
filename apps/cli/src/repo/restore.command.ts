import { resolve } from 'node:path';
import { counted, fault } from '#kernel';
import { findSnapshot, packNames, type RestoreMode, type RestoreProgress, type RestoreResult, runRestore } from '#repository';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { humanBytes, humanDuration } from '../format.ts';
import { progressText } from '../progress-text.ts';
import { interruptible } from './interruptible.ts';
import { openStore } from './open-store.ts';
import { keysOfFile, parseSelection, snapshotsOf } from './reader-keys.ts';

interface RestoreCommandOptions {
  readonly repository: string;
  readonly identity: string;
  readonly to: string;
  readonly mode: RestoreMode;
  readonly dryRun?: boolean;
  readonly delete?: boolean;
}

const report = (context: CommandContext, result: RestoreResult, facts: { snapshot: string; to: string; elapsedMs: number; dryRun: boolean }): void => {
  const { statistics, faults, faultCount } = result;
  for (const found of faults) context.output.note(`${found.path}: ${found.detail} [${found.code}]`);
  for (const found of faults) context.output.message('fault', found);
  context.output.result('summary', {
    outcome: result.outcome, ...result.reason, ...(facts.dryRun ? { dry_run: true } : {}), snapshot_id: facts.snapshot, restored_path: facts.to, files: statistics.files, dirs: statistics.directories,
    others: statistics.others, bytes: statistics.bytes, skipped: statistics.skipped, deleted: statistics.deleted,
    fetched_bytes: statistics.fetchedBytes, faults: faultCount, seconds: Math.round(facts.elapsedMs) / 1000, phases_ms: result.phases,
  }, `${facts.dryRun ? 'Would restore' : 'Restored'} ${counted(statistics.files, 'file')}, ${humanBytes(statistics.bytes)} of ${facts.snapshot} to ${facts.to} in ${humanDuration(facts.elapsedMs)}` +
    `${statistics.skipped > 0 ? `; ${statistics.skipped} left as they were` : ''}${faultCount > 0 ? `; ${counted(faultCount, 'fault')}` : ''}${result.reason ? ` (${result.reason.detail} [${result.reason.code}])` : ''}`);
};

const restore = async (context: CommandContext, selection: string, options: RestoreCommandOptions): Promise<void> => {
  const { clock, output } = context;
  const started = clock.monotonic();
  const store = openStore(options.repository);
  const { snapshot: wanted, path } = parseSelection(selection);
  const found = findSnapshot(await snapshotsOf(store, { ...options, output }), wanted);
  if (options.to === '') throw fault('validation', 'restore-destination-invalid', '--to names no directory; write . when you mean the one that you are in');
  const to = resolve(options.to);
  const onProgress = (done: RestoreProgress): void =>
    output.progress(progressText(done, clock.monotonic() - started));
  const result = await interruptible((signal) => runRestore({
    reader: store, keys: keysOfFile(store, options.identity), snapshotObject: found.name, packs: packNames(store), destination: to,
    mode: options.mode, dryRun: options.dryRun ?? false, deleteExtraneous: options.delete ?? false, signal, onProgress, onNote: (code, detail) => output.remark(code, detail), ...(path ? { path } : {}),
  }));
  report(context, result, { snapshot: found.header.snapshot, to, dryRun: options.dryRun ?? false, elapsedMs: clock.monotonic() - started });
  if (result.outcome === 'partial') context.onExitCode(exitCodes.partial);
};

/** `repo restore`: needs the target and one identity, nothing else. */
export const registerRestore = (repo: Command, context: CommandContext): void => {
  repo.command('restore').description('put a snapshot, or a path of it, into a directory')
    .argument('<snapshot[:path]>', 'an id, the beginning of one, or latest')
    .requiredOption('--repository <place>', 'a folder, or s3://bucket/prefix')
    .requiredOption('--identity <file>', 'file with age identities')
    .requiredOption('--to <dir>', 'directory to write into; / puts everything back where it was')
    .addOption(new Option('--mode <mode>', 'what to do where something exists').choices(['always', 'if-changed', 'if-newer', 'never']).default('always'))
    .option('--dry-run', 'say what would be done')
    .option('--delete', 'remove what the snapshot does not have, inside the restored directories only')
    .action((selection: string, options: RestoreCommandOptions) => restore(context, selection, options));
};
