import { counted } from '#kernel';
import { type PruneResult, pruneRepository, retain, type VerifyLevel, verifyRepository, type VerifyResult } from '#repository';
import type { ObjectStore } from '#storage';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { humanBytes } from '../format.ts';
import { interruptible } from './interruptible.ts';
import { openStore } from './open-store.ts';
import { keysOfFile, requireRepository } from './reader-keys.ts';

interface VerifyCommandOptions {
  readonly repository: string;
  readonly level: '1' | '2' | '2c' | '3';
  readonly identity?: string;
}

interface PruneCommandOptions {
  readonly repository: string;
  readonly identity: string;
  readonly keepLast: number;
  readonly dryRun?: boolean;
}

const levels: Readonly<Record<VerifyCommandOptions['level'], VerifyLevel>> = { 1: 1, 2: 2, '2c': '2c', 3: 3 };

/** What each level proves. */
const meanings: Readonly<Record<VerifyLevel, string>> = { 1: 'stored', 2: 'intact', '2c': 'closed', 3: 'decodable' };

const reportVerify = (context: CommandContext, { level, outcome, findings, checked, notes }: VerifyResult): void => {
  const { output } = context;
  for (const finding of findings) {
    output.message('finding', finding);
    output.text(`${finding.object}: ${finding.detail} [${finding.code}]`);
    for (const lost of finding.affected) {
      output.text(`  ${lost.snapshot}: ${lost.whole ? 'cannot be read at all' : `${counted(lost.entries, 'entry', 'entries')} cannot be restored`}`);
      for (const path of [...lost.paths, ...lost.places]) output.text(`    ${path}`);
    }
  }
  for (const note of notes) output.note(note);
  output.result('summary', { level, outcome, findings: findings.length, ...checked, notes },
    `Level ${level}, ${meanings[level]}: ${outcome === 'intact' ? 'nothing is wrong' : outcome}; ${counted(checked.snapshots, 'snapshot')}, ${counted(checked.packs, 'pack')}, ` +
    `${counted(checked.chunks, 'chunk')}, ${counted(findings.length, 'finding')}`);
};

/** Where nothing is at all there is nothing to find damaged. */
const isEmpty = async (store: ObjectStore): Promise<boolean> => {
  for await (const _ of store.list('')) return false;
  return true;
};

const verify = async (context: CommandContext, options: VerifyCommandOptions): Promise<void> => {
  const store = openStore(options.repository);
  const keys = options.identity === undefined ? {} : { keys: keysOfFile(store, options.identity) };
  if (await isEmpty(store)) await requireRepository(store, options.repository);
  const result = await interruptible((signal) => verifyRepository({ store, level: levels[options.level], signal, ...keys }));
  reportVerify(context, result);
  if (result.outcome !== 'intact') context.onExitCode(exitCodes.failed);
};

const reportPrune = (context: CommandContext, result: PruneResult): void => {
  const { output } = context;
  for (const note of result.notes) output.note(note);
  output.result('summary', {
    dry_run: result.dryRun, snapshots_kept: result.snapshotsKept, removed_snapshots: result.removedSnapshots, packs_kept: result.packsKept,
    packs_rewritten: result.packsRewritten, packs_removed: result.packsRemoved, stored_before: result.storedBefore,
    stored_after: result.storedAfter, live_plain: result.livePlain, kept_plain: result.keptPlain, removed_keys: result.removedKeys,
  }, `${result.dryRun ? 'Would keep' : 'Kept'} ${counted(result.snapshotsKept, 'snapshot')} and remove ${result.snapshotsRemoved}; ` +
    `${humanBytes(result.storedBefore)} become ${humanBytes(result.storedAfter)}`);
};

const prune = async (context: CommandContext, options: PruneCommandOptions): Promise<void> => {
  const store = openStore(options.repository);
  if (await isEmpty(store)) await requireRepository(store, options.repository);
  const result = await interruptible((signal) => pruneRepository({
    store, keys: keysOfFile(store, options.identity), dryRun: options.dryRun ?? false, signal, clock: context.clock,
    keep: (snapshots) => new Set(retain(
      snapshots.map(({ header }) => ({ id: header.snapshot, time: Date.parse(header.time) })), { last: options.keepLast },
    ).keys()),
  }));
  reportPrune(context, result);
};

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number of snapshots, 1 or more.');
  return value;
};

/** `repo verify`, `repo prune`. */
export const registerKeep = (repo: Command, context: CommandContext): void => {
  repo.command('verify').description('check a repository: 1 stored, 2 intact, 2c closed, 3 decodable')
    .requiredOption('--repository <place>', 'a folder, or s3://bucket/prefix')
    .addOption(new Option('--level <level>', 'how deep').choices(['1', '2', '2c', '3']).default('2'))
    .option('--identity <file>', 'file with age identities; needed for 2c and 3')
    .action((options: VerifyCommandOptions) => verify(context, options));
  repo.command('prune').description('remove snapshots and what only they need; no backup may run meanwhile')
    .requiredOption('--repository <place>', 'a folder, or s3://bucket/prefix')
    .requiredOption('--identity <file>', 'file with age identities; one of a catalog recipient is enough')
    .requiredOption('--keep-last <number>', 'how many snapshots to keep', positive)
    .option('--dry-run', 'say what would be done')
    .action((options: PruneCommandOptions) => prune(context, options));
};
