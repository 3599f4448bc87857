import { findSnapshot, packNames, printablePath, snapshotContents } from '#repository';
import { fault, rfc3339 } from '#kernel';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';
import { openStore } from './open-store.ts';
import { keysOfFile, parseSelection, snapshotsOf } from './reader-keys.ts';

interface LookOptions {
  readonly repository: string;
  readonly identity: string;
}

const snapshots = async (context: CommandContext, options: Pick<LookOptions, 'repository'>): Promise<void> => {
  const { output } = context;
  const found = await snapshotsOf(openStore(options.repository), { ...options, output });
  for (const { name, size, header } of found) {
    output.message('snapshot', { id: header.snapshot, time: header.time, task: header.task, previous: header.previous, object: name, size });
  }
  output.message('summary', { snapshots: found.length });
  output.text(found.length === 0 ? 'There are no snapshots yet.' : table(['ID', 'TIME', 'TASK'], found.map(({ header }) => [header.snapshot, header.time, header.task])));
};

const typeLetters: Readonly<Record<string, string>> = { file: '-', directory: 'd', symlink: 'l', fifo: 'p', socket: 's', block: 'b', char: 'c', stream: '-' };

const modeText = (type: string, mode: number): string =>
  (typeLetters[type] ?? '?') + [6, 3, 0].map((shift) => ['r', 'w', 'x'].map((letter, bit) => ((mode >> shift) & (4 >> bit) ? letter : '-')).join('')).join('');

const ls = async (context: CommandContext, selection: string, options: LookOptions): Promise<void> => {
  const { output } = context;
  const store = openStore(options.repository);
  const { snapshot, path } = parseSelection(selection);
  const found = findSnapshot(await snapshotsOf(store, { ...options, output }), snapshot);
  const contents = await snapshotContents({
    reader: store, keys: keysOfFile(store, options.identity), snapshotObject: found.name, packs: packNames(store), ...(path ? { path } : {}),
  });
  let entries = 0;
  for await (const part of contents.entries) {
    for (const entry of part) {
      entries++;
      const shown = `/${printablePath(entry.path)}`;
      const mtime = rfc3339(Number(entry.mtimeNs / 1_000_000n));
      output.message('entry', { path: shown, type: entry.type, mode: entry.mode, uid: entry.uid, gid: entry.gid, size: entry.size, mtime });
      output.text(`${modeText(entry.type, entry.mode)} ${String(entry.uid).padStart(5)} ${String(entry.gid).padStart(5)} ${String(entry.size).padStart(12)} ${mtime} ${shown}`);
    }
  }
  if (path && entries === 0) throw fault('not-found', 'path-not-found', 'The snapshot holds no such path; list all it holds by leaving the path away');
  output.message('summary', { snapshot_id: found.header.snapshot, entries });
};

/** `repo snapshots`, `repo ls`. */
export const registerLook = (repo: Command, context: CommandContext): void => {
  repo.command('snapshots').description('list the snapshots of a repository')
    .requiredOption('--repository <place>', 'a folder, or s3://bucket/prefix')
    .action((options: LookOptions) => snapshots(context, options));
  repo.command('ls').description('list what a snapshot holds')
    .argument('<snapshot[:path]>', 'an id, the beginning of one, or latest')
    .requiredOption('--repository <place>', 'a folder, or s3://bucket/prefix')
    .requiredOption('--identity <file>', 'file with age identities')
    .action((selection: string, options: LookOptions) => ls(context, selection, options));
};
