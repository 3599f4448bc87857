import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';
import { exitCodeOfRun, followRun } from '../runs/follow-run.ts';
import { nodeNames } from '../runs/node-names.ts';
import type { RunView } from '../runs/run-view.ts';
import { findOne } from './find.ts';
import { type PlacementFlags, placementFlags } from './placement.ts';
import { registerRuns } from './runs.command.ts';
import { type TaskView, scheduleText, whereOf } from './task-view.ts';
import { registerTaskChanges } from './tasks-change.command.ts';

interface AddOptions extends PlacementFlags {
  readonly target?: string;
  readonly path: readonly string[];
  readonly exclude?: readonly string[];
  readonly oneFileSystem?: boolean;
  readonly schedule?: string;
  readonly timeZone: string;
  readonly keepLast?: string;
}

/** The one there is, where the user did not say which. */
const oneOf = (items: readonly { readonly id: string; readonly name: string }[], wanted: string | undefined, what: string): string => {
  const [only, ...others] = items;
  return findOne(items, wanted ?? (only && others.length === 0 ? only.id : '?'), what).id;
};

const addTask = async (context: CommandContext, name: string, options: AddOptions): Promise<void> => {
  const api = await context.api();
  const placement = options.selector === undefined ? { node: oneOf(await api.all('/api/v1/nodes'), options.node, 'node') } : {};
  const target = oneOf(await api.all('/api/v1/targets'), options.target, 'target');
  const task = await api.post<TaskView>('/api/v1/tasks', {
    name, ...placement, ...placementFlags(options), target,
    source: {
      type: 'files', paths: options.path.map((path) => resolve(path)), ...(options.exclude ? { excludes: options.exclude } : {}),
      ...(options.oneFileSystem ? { oneFileSystem: true } : {}),
    },
    ...(options.schedule ? { schedule: { cron: options.schedule, timeZone: options.timeZone } } : {}),
    ...(options.keepLast ? { retention: { keepLast: Number(options.keepLast) } } : {}),
  });
  context.output.result('task', task, `${task.id} ${name}`);
};

const registerTasks = (program: Command, context: CommandContext): void => {
  const tasks = program.command('tasks').description('what to back up, when and where to');
  tasks.command('ls').description('all tasks').action(async () => {
    const api = await context.api();
    const [items, names] = await Promise.all([api.all<TaskView>('/api/v1/tasks'), nodeNames(api)]);
    for (const item of items) context.output.message('task', item);
    context.output.text(table(['ID', 'NAME', 'NODE', 'SCHEDULE', 'NEXT START', 'STATUS'], items.map((task) => [task.id, task.name, whereOf(task, names), scheduleText(task), task.nextStart ?? '', task.status ?? ''])));
  });
  tasks.command('add <name>').alias('create').description('define a task')
    .requiredOption('--path <path...>', 'what to back up')
    .option('--node <node>', 'which host (default: the only one)')
    .option('--selector <labels>', 'instead of --node: the hosts that have these labels at the time, key=value[,key=value]')
    .option('--place <place>', 'with --selector: any (one host, the least loaded) or all (a run on each)')
    .option('--offline <rule>', 'when a host is offline or drained: wait, skip or fail (with --selector a drained host is always skipped)', 'wait')
    .option('--wait <seconds>', 'bound for --offline wait, after which the run fails (default with --selector: a day)')
    .option('--target <target>', 'where to (default: the only one)')
    .option('--exclude <pattern...>', 'gitignore patterns of what to leave out')
    .option('--one-file-system', 'do not cross into other file systems')
    .option('--schedule <cron>', 'five fields, for example "0 3 * * *"')
    .option('--time-zone <zone>', 'of the schedule', 'UTC')
    .option('--keep-last <n>', 'how many snapshots a prune keeps')
    .addHelpText('after', '\nExample: holdfast tasks add etc --node web-1 --path /etc --schedule "0 3 * * *" --time-zone Europe/Vienna --keep-last 30')
    .action((name: string, options: AddOptions) => addTask(context, name, options));
  registerTaskChanges(tasks, context);
  for (const verb of ['pause', 'resume'] as const) {
    tasks.command(`${verb} <task>`).description(`${verb} the schedule`).action(async (name: string) => {
      const api = await context.api();
      const task = findOne(await api.all<TaskView>('/api/v1/tasks'), name, 'task');
      await api.post(`/api/v1/tasks/${task.id}:${verb}`);
      context.output.result('task', { id: task.id, changed: verb }, `${task.name}: ${verb}d`);
    });
  }
};

const registerRun = (program: Command, context: CommandContext): void => {
  program.command('run <task>').description('run a task now').option('--follow', 'show progress until it ends')
    .addHelpText('after', '\nWith --follow the exit code is that of the run: 0 succeeded, 1 failed, 3 partial, 130 cancelled.\nExample: holdfast run etc --follow').action(async (name: string, options: { follow?: boolean }) => {
    const api = await context.api();
    const task = findOne(await api.all<TaskView>('/api/v1/tasks'), name, 'task');
    const run = await api.post<RunView>(`/api/v1/tasks/${task.id}:run`);
    if (!options.follow) return context.output.result('run', run, run.id);
    return context.onExitCode(exitCodeOfRun(await followRun(api, run.id, context.output, context.clock)));
  });
};

/** `holdfast tasks ...`, `holdfast run` and `holdfast runs ...`. */
export const registerWork = (program: Command, context: CommandContext): void => {
  registerTasks(program, context);
  registerRun(program, context);
  registerRuns(program, context);
};
