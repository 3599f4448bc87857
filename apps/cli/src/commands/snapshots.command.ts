import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fault } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { humanBytes, table } from '../format.ts';
import { exitCodeOfRun, followRun } from '../runs/follow-run.ts';
import type { RunView } from '../runs/run-view.ts';
import { findOne } from './find.ts';

interface SnapshotView {
  readonly id: string;
  readonly node: string;
  readonly task: string;
  readonly time: string;
  readonly files: number;
  readonly bytes: number;
  readonly storedBytes: number;
}

interface EntryView {
  readonly path: string;
  readonly type: string;
  readonly size: number;
  readonly modified?: string;
}

/** `latest`, an id or its beginning, each with `:<path>` behind it if only a part is meant. */
const resolveSnapshot = async (api: ApiClient, text: string): Promise<{ readonly snapshot: SnapshotView; readonly path?: string }> => {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const path = colon < 0 ? undefined : text.slice(colon + 1).replace(/^\/+/, '');
  const snapshots = await api.all<SnapshotView>('/api/v1/snapshots');
  const latest = [...snapshots].sort((a, b) => (a.time < b.time ? 1 : -1))[0];
  if (name === 'latest' && !latest) throw fault('not-found', 'snapshot-not-found', 'There is no snapshot yet; run a task first');
  const snapshot = name === 'latest' && latest ? latest : findOne(snapshots, name, 'snapshot');
  return { snapshot, ...(path ? { path } : {}) };
};

interface RestoreFlags {
  readonly to: string;
  readonly node?: string;
  readonly mode: string;
  readonly follow?: boolean;
  readonly dryRun?: boolean;
}

const restore = async (context: CommandContext, text: string, flags: RestoreFlags): Promise<void> => {
  const api = await context.api();
  const { snapshot, path } = await resolveSnapshot(api, text);
  const run = await api.post<RunView>(`/api/v1/snapshots/${snapshot.id}:restore`, {
    node: flags.node ? findOne(await api.all<{ readonly id: string; readonly name: string }>('/api/v1/nodes'), flags.node, 'node').id : snapshot.node,
    destination: resolve(flags.to), mode: flags.mode, ...(path ? { path } : {}), ...(flags.dryRun ? { dryRun: true } : {}),
  });
  if (!flags.follow) return context.output.result('run', run, run.id);
  return context.onExitCode(exitCodeOfRun(await followRun(api, run.id, context.output, context.clock)));
};

const registerListing = (program: Command, context: CommandContext): void => {
  const snapshots = program.command('snapshots').description('restorable points in time');
  snapshots.command('ls').description('all snapshots').action(async () => {
    const items = await (await context.api()).all<SnapshotView>('/api/v1/snapshots');
    for (const item of items) context.output.message('snapshot', item);
    context.output.text(table(['ID', 'TIME', 'TASK', 'NODE', 'FILES', 'SIZE', 'STORED'],
      items.map((one) => [one.id, one.time, one.task, one.node, String(one.files), humanBytes(one.bytes), humanBytes(one.storedBytes)])));
  });
  program.command('browse <snapshot>').description('entries of a directory of a snapshot: SNAPSHOT[:PATH]').action(async (text: string) => {
    const api = await context.api();
    const { snapshot, path } = await resolveSnapshot(api, text);
    const entries = await api.all<EntryView>(`/api/v1/snapshots/${snapshot.id}/entries?path=${encodeURIComponent(path ?? '')}`);
    for (const entry of entries) context.output.message('entry', entry);
    context.output.text(table(['TYPE', 'SIZE', 'MODIFIED', 'PATH'], entries.map((entry) => [entry.type, humanBytes(entry.size), entry.modified ?? '', entry.path])));
  });
};

/** `holdfast snapshots ...`, `browse`, `restore` and `verify`. */
export const registerSnapshots = (program: Command, context: CommandContext): void => {
  registerListing(program, context);
  program.command('restore <snapshot>').description('bring a snapshot or a part of it back: SNAPSHOT[:PATH]')
    .requiredOption('--to <directory>', 'where to, on the restoring node')
    .option('--node <node>', 'which node restores (default: the one it came from)')
    .option('--mode <mode>', 'what to do where something exists: always, if-changed, if-newer, never', 'always')
    .option('--dry-run', 'count only')
    .option('--follow', 'show progress until it ends')
    .action((text: string, flags: RestoreFlags) => restore(context, text, flags));
  program.command('verify <snapshot>').description('prove that a snapshot can be read').option('--level <level>', '1, 2, 2c or 3', '3').option('--follow', 'show progress until it ends')
    .action(async (text: string, flags: { level: string; follow?: boolean }) => {
      const api = await context.api();
      const { snapshot } = await resolveSnapshot(api, text);
      const run = await api.post<RunView>(`/api/v1/snapshots/${snapshot.id}:verify`, { level: flags.level });
      if (!flags.follow) return context.output.result('run', run, run.id);
      return context.onExitCode(exitCodeOfRun(await followRun(api, run.id, context.output, context.clock)));
    });
};
