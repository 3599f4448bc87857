import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fault } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';
import { nodeNames } from '../runs/node-names.ts';
import { findOne } from './find.ts';
import { type TaskView, type ScheduleView, scheduleText, whereOf } from './task-view.ts';

interface EditFlags {
  readonly name?: string;
  readonly path?: readonly string[];
  readonly exclude?: readonly string[];
  readonly target?: string;
  readonly schedule?: string | false;
  readonly timeZone?: string;
  readonly keepLast?: string;
}

const taskOf = async (api: ApiClient, name: string): Promise<TaskView> => findOne(await api.all<TaskView>('/api/v1/tasks'), name, 'task');

const scheduleOf = (task: TaskView, { schedule, timeZone }: EditFlags): { readonly schedule?: ScheduleView | null } => {
  if (schedule === false) return { schedule: null };
  if (schedule === undefined && timeZone === undefined) return {};
  const cron = schedule ?? task.schedule?.cron;
  if (cron === undefined) throw fault('validation', 'invalid-arguments', `${task.name} has no schedule that could have a time zone; give --schedule too`);
  return { schedule: { ...task.schedule, cron, ...(timeZone === undefined ? {} : { timeZone }) } };
};

const sourceOf = (task: TaskView, { path, exclude }: EditFlags): object => (path === undefined && exclude === undefined ? {} : {
  source: { ...task.source, ...(path ? { paths: path.map((one) => resolve(one)) } : {}), ...(exclude ? { excludes: exclude } : {}) },
});

const edit = async (context: CommandContext, name: string, flags: EditFlags): Promise<void> => {
  const api = await context.api();
  const task = await taskOf(api, name);
  const change = {
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.target === undefined ? {} : { target: findOne(await api.all<{ readonly id: string; readonly name: string }>('/api/v1/targets'), flags.target, 'target').id }),
    ...sourceOf(task, flags), ...scheduleOf(task, flags),
    ...(flags.keepLast === undefined ? {} : { retention: { ...task.retention, keepLast: Number(flags.keepLast) } }),
  };
  if (Object.keys(change).length === 0) throw fault('validation', 'invalid-arguments', 'Say what is to be different; holdfast tasks edit --help lists what can be');
  // Whoever changed it meanwhile is not overwritten.
  await api.patch(`/api/v1/tasks/${task.id}`, change, { 'if-match': `"${task.revision}"` });
  context.output.result('task', { id: task.id, changed: Object.keys(change) }, `${task.name}: changed ${Object.keys(change).join(', ')}`);
};

const show = async (context: CommandContext, name: string): Promise<void> => {
  const api = await context.api();
  const [task, names, targets] = await Promise.all([taskOf(api, name), nodeNames(api), api.all<{ readonly id: string; readonly name: string }>('/api/v1/targets')]);
  const rows: (readonly [string, string | undefined])[] = [
    ['id', task.id], ['name', task.name], ['status', task.status], ['where', whereOf(task, names)], ['when a node is away', task.offline],
    ['paths', task.source.paths.join('  ')], ['excludes', task.source.excludes?.join('  ')],
    ['target', targets.find(({ id }) => id === task.target)?.name ?? task.target], ['schedule', scheduleText(task)], ['next start', task.nextStart],
    ['keeps', Object.entries(task.retention ?? {}).map(([rule, value]) => `${rule} ${String(value)}`).join(', ') || 'everything'], ['changed', task.changedAt],
  ];
  context.output.result('task', task, table(['', ''], rows.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))).trimStart());
};

/** `holdfast tasks show`, `edit` and `rm`. */
export const registerTaskChanges = (tasks: Command, context: CommandContext): void => {
  tasks.command('show <task>').description('one task, everything known of it').action((name: string) => show(context, name));
  tasks.command('edit <task>').description('change what is named; the rest stays')
    .option('--name <name>', 'another name')
    .option('--path <path...>', 'what to back up, instead of what it is now')
    .option('--exclude <pattern...>', 'gitignore patterns of what to leave out, instead of those that are')
    .option('--target <target>', 'where to; the snapshots in the former target stay there')
    .option('--schedule <cron>', 'five fields, for example "0 3 * * *"')
    .option('--no-schedule', 'from now on it starts by hand only')
    .option('--time-zone <zone>', 'of the schedule')
    .option('--keep-last <n>', 'how many snapshots a prune keeps')
    .addHelpText('after', '\nExample: holdfast tasks edit etc --schedule "30 2 * * *" --time-zone Europe/Vienna')
    .action((name: string, flags: EditFlags) => edit(context, name, flags));
  tasks.command('rm <task>').description('remove a task; its runs and snapshots stay').action(async (name: string) => {
    const api = await context.api();
    const task = await taskOf(api, name);
    await api.delete(`/api/v1/tasks/${task.id}`);
    context.output.result('task', { id: task.id, changed: 'remove' }, `${task.name}: removed; its snapshots stay until they are forgotten`);
  });
};
