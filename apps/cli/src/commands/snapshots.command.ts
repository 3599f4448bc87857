import type { Command } from 'commander';
import { counted, fault } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { humanBytes, table } from '../format.ts';
import { exitCodeOfRun, followRun } from '../runs/follow-run.ts';
import { nodeNames } from '../runs/node-names.ts';
import type { RunView } from '../runs/run-view.ts';
import { findOne } from './find.ts';
import { onNode } from './task-flags.ts';

interface SnapshotView {
  readonly id: string;
  readonly node: string;
  readonly task?: string;
  readonly taskName?: string;
  readonly time: string;
  readonly held?: boolean;
  readonly heldReason?: string;
  readonly run?: string;
  readonly target?: string;
  readonly partial?: boolean;
  readonly late?: boolean;
  readonly directories?: number;
  readonly verified?: { readonly level: string; readonly at: string; readonly outcome: string };
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

/** One snapshot in words, a line each. */
const snapshotText = (one: SnapshotView, names: ReadonlyMap<string, string>): string => {
  const rows: (readonly [string, string | undefined])[] = [
    ['id', one.id], ['time', one.time], ['task', one.taskName ?? one.task], ['node', names.get(one.node) ?? one.node], ['target', one.target], ['run', one.run],
    ['holds', `${counted(one.files, 'file')}, ${counted(one.directories ?? 0, 'directory', 'directories')}, ${humanBytes(one.bytes)}; ${humanBytes(one.storedBytes)} stored for it`],
    ['whole', one.partial ? 'no: some of it could not be read; its run says what' : 'yes'], ['late', one.late ? 'yes: its attempt was given up before it was known' : undefined],
    ['held', one.held ? one.heldReason ?? 'yes' : undefined],
    ['verified', one.verified ? `${one.verified.outcome} at level ${one.verified.level}, ${one.verified.at}` : 'not yet'],
  ];
  return table(['', ''], rows.flatMap(([what, value]) => (value === undefined ? [] : [[what, value]]))).trimStart();
};

/** Which task's snapshots `latest` looks at. */
interface OfTask {
  readonly task?: string;
}

/** What was taken for `latest` is said: another task may have made a snapshot a moment ago. */
const latestOf = (snapshots: readonly SnapshotView[], context: CommandContext, { task }: OfTask): SnapshotView => {
  const [latest] = snapshots.filter((one) => task === undefined || one.task === task || one.taskName === task).sort((a, b) => (a.time < b.time ? 1 : -1));
  if (!latest) throw fault('not-found', 'snapshot-not-found', task === undefined ? 'There is no snapshot yet; run a task first' : `There is no snapshot of a task ${task}; list them with holdfast snapshots ls`);
  context.output.note(`latest is ${latest.id} of ${latest.taskName ?? 'a removed task'}, ${latest.time}${task === undefined ? '; --task NAME takes the latest of one task' : ''}`);
  return latest;
};

/** `latest`, an id or its beginning, each with `:<path>` behind it if only a part is meant. */
const resolveSnapshot = async (context: CommandContext, text: string, of: OfTask): Promise<{ readonly api: ApiClient; readonly snapshot: SnapshotView; readonly path?: string }> => {
  const api = await context.api();
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const path = colon < 0 ? undefined : text.slice(colon + 1).replace(/^\/+/, '');
  const snapshots = await api.all<SnapshotView>('/api/v1/snapshots');
  const snapshot = name === 'latest' ? latestOf(snapshots, context, of) : findOne(snapshots, name, 'snapshot');
  return { api, snapshot, ...(path ? { path } : {}) };
};

interface RestoreFlags extends OfTask {
  readonly to: string;
  readonly node?: string;
  readonly mode: string;
  readonly follow?: boolean;
  readonly dryRun?: boolean;
}

const restore = async (context: CommandContext, text: string, flags: RestoreFlags): Promise<void> => {
  const { api, snapshot, path } = await resolveSnapshot(context, text, flags);
  const run = await api.post<RunView>(`/api/v1/snapshots/${snapshot.id}:restore`, {
    node: flags.node ? findOne(await api.all<{ readonly id: string; readonly name: string }>('/api/v1/nodes'), flags.node, 'node').id : snapshot.node,
    destination: onNode('--to')(flags.to), mode: flags.mode, ...(path ? { path } : {}), ...(flags.dryRun ? { dryRun: true } : {}),
  });
  if (!flags.follow) return context.output.result('run', run, run.id);
  return context.onExitCode(exitCodeOfRun(await followRun(api, run.id, context.output, context.clock)));
};

const registerListing = (program: Command, context: CommandContext): void => {
  const snapshots = program.command('snapshots').description('restorable points in time');
  snapshots.command('ls').description('all snapshots').option('--task <task>', 'only those of this task').option('--node <node>', 'only those of this node').action(async (flags: OfTask & { readonly node?: string }) => {
    const api = await context.api();
    const [all, names] = await Promise.all([api.all<SnapshotView>('/api/v1/snapshots'), nodeNames(api)]);
    const items = all.filter((one) => (!flags.task || one.task === flags.task || one.taskName === flags.task) && (!flags.node || one.node === flags.node || names.get(one.node) === flags.node));
    for (const item of items) context.output.message('snapshot', item);
    context.output.text(table(['ID', 'TIME', 'TASK', 'NODE', 'FILES', 'SIZE', 'STORED', 'HELD'],
      items.map((one) => [one.id, one.time, one.taskName ?? one.task ?? '', names.get(one.node) ?? one.node, String(one.files), humanBytes(one.bytes), humanBytes(one.storedBytes), one.held ? 'held' : ''])));
  });
  snapshots.command('show <snapshot>').description('one snapshot: what it holds, whether it is whole, when it was verified').option('--task <task>', 'whose latest is meant').action(async (text: string, of: OfTask) => {
    const { api, snapshot } = await resolveSnapshot(context, text, of);
    context.output.result('snapshot', snapshot, snapshotText(snapshot, await nodeNames(api)));
  });
  for (const [verb, description] of [['hold', 'keep it, whatever the task says'], ['release', 'let it be forgotten when its time has come']] as const) {
    snapshots.command(`${verb} <snapshot>`).description(description).option('--task <task>', 'whose latest is meant').action(async (text: string, of: OfTask) => {
      const { api, snapshot } = await resolveSnapshot(context, text, of);
      await api.post(`/api/v1/snapshots/${snapshot.id}:${verb}`);
      context.output.result('snapshot', { id: snapshot.id, changed: verb }, `${snapshot.id}: ${verb === 'hold' ? 'held' : 'released'}`);
    });
  }
  program.command('browse <snapshot>').description('entries of a directory of a snapshot: SNAPSHOT[:PATH]').option('--task <task>', 'whose latest is meant').action(async (text: string, of: OfTask) => {
    const { api, snapshot, path } = await resolveSnapshot(context, text, of);
    const entries = await api.all<EntryView>(`/api/v1/snapshots/${snapshot.id}/entries?path=${encodeURIComponent(path ?? '')}`);
    for (const entry of entries) context.output.message('entry', entry);
    context.output.text(table(['TYPE', 'SIZE', 'MODIFIED', 'PATH'], entries.map((entry) => [entry.type, humanBytes(entry.size), entry.modified ?? '', entry.path])));
  });
};

/** `holdfast snapshots ...`, `browse`, `restore` and `verify`. */
export const registerSnapshots = (program: Command, context: CommandContext): void => {
  registerListing(program, context);
  program.command('restore <snapshot>').description('bring a snapshot or a part of it back: SNAPSHOT[:PATH]')
    .option('--task <task>', 'whose latest is meant')
    .requiredOption('--to <directory>', 'where to, an absolute path on the restoring node')
    .option('--node <node>', 'which node restores (default: the one it came from)')
    .option('--mode <mode>', 'what to do where something exists: always, if-changed, if-newer, never', 'always')
    .option('--dry-run', 'count only')
    .option('--follow', 'show progress until it ends')
    .addHelpText('after', '\nExamples: holdfast restore latest:etc/hosts --task etc --to /tmp/restored --follow\n          holdfast restore snap_9864 --to / --mode if-changed')
    .action((text: string, flags: RestoreFlags) => restore(context, text, flags));
  program.command('verify <snapshot>').description('prove that a snapshot can be read').option('--task <task>', 'whose latest is meant')
    .option('--level <level>', '1, 2, 2c or 3', '3').option('--follow', 'show progress until it ends')
    .action(async (text: string, flags: OfTask & { level: string; follow?: boolean }) => {
      const { api, snapshot } = await resolveSnapshot(context, text, flags);
      const run = await api.post<RunView>(`/api/v1/snapshots/${snapshot.id}:verify`, { level: flags.level });
      if (!flags.follow) return context.output.result('run', run, run.id);
      return context.onExitCode(exitCodeOfRun(await followRun(api, run.id, context.output, context.clock)));
    });
};
