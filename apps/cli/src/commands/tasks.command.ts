import type { Command } from 'commander';
import { fault, someOf } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';
import { nodeNames } from '../runs/node-names.ts';
import { type Named, findOne } from './find.ts';
import { withExamples } from './help.ts';
import { numberOf } from './length-of-time.ts';
import { type TaskFlags, taskBody, withTaskFlags } from './task-flags.ts';
import { type TaskView, scheduleText, taskText, whereOf } from './task-view.ts';

const tasksPath = '/api/v1/tasks';
const named = (items: readonly (Named & { readonly name: string })[]): ReadonlyMap<string, string> => new Map(items.map(({ id, name }) => [id, name]));

/** The task of this name or id. */
export const taskOf = async (api: ApiClient, name: string): Promise<TaskView> => findOne(await api.all<TaskView>(tasksPath), name, 'task');

/** The ids of nodes that are named; nothing where none are. */
export const nodesNamed = async (api: ApiClient, names: readonly string[] | undefined): Promise<{ readonly nodes?: readonly string[] }> => {
  if (names === undefined) return {};
  const known = await api.all<Named>('/api/v1/nodes');
  return { nodes: names.map((name) => findOne(known, name, 'node').id) };
};

/** The one there is, where the user did not say which. Throws `...-not-found` and `...-ambiguous`. */
const oneOf = (items: readonly Named[], wanted: string | undefined, what: string): string => {
  if (wanted !== undefined) return findOne(items, wanted, what).id;
  const [only, ...others] = items;
  if (!only) throw fault('not-found', `${what}-not-found`, `There is no ${what} yet; holdfast ${what}s add makes one`);
  if (others.length > 0) {
    const names = someOf(items.map(({ id, name }) => name ?? id));
    throw fault('validation', `${what}-ambiguous`, `There are ${items.length} ${what}s; say which with --${what}: ${names}`);
  }
  return only.id;
};

const addTask = async (context: CommandContext, name: string, flags: TaskFlags): Promise<void> => {
  const body = taskBody(flags);
  const api = await context.api();
  const alone = flags.selector === undefined && flags.node === undefined;
  const on = alone ? { nodes: [oneOf(await api.all('/api/v1/nodes'), undefined, 'node')] } : await nodesNamed(api, flags.node);
  const task = await api.post<Named>(tasksPath, { name, ...on, target: oneOf(await api.all('/api/v1/targets'), flags.target, 'target'), ...body });
  context.output.result('task', task, `${task.id} ${name}`);
};

const changeTask = async (context: CommandContext, name: string, flags: TaskFlags & { readonly name?: string }): Promise<void> => {
  const api = await context.api();
  const before = await taskOf(api, name);
  const body = {
    ...taskBody(flags, before), ...(await nodesNamed(api, flags.node)), ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.target === undefined ? {} : { target: oneOf(await api.all('/api/v1/targets'), flags.target, 'target') }),
  };
  if (Object.keys(body).length === 0) throw fault('validation', 'invalid-arguments', 'Say what is to be different; holdfast tasks edit --help lists what can be');
  // Fields are made of what was and what is asked for: somebody else's change in between is not to be lost.
  await api.patch(`${tasksPath}/${before.id}`, body, { 'if-match': `"${before.revision}"` });
  context.output.result('task', { id: before.id, changed: Object.keys(body) }, `${flags.name ?? before.name}: changed ${Object.keys(body).join(', ')}`);
};

interface ListFlags {
  readonly node?: string;
  readonly target?: string;
  readonly paused?: boolean;
}

const listTasks = async (context: CommandContext, { node, target, paused }: ListFlags): Promise<void> => {
  const api = await context.api();
  const query = new URLSearchParams({
    ...(node ? { node: findOne(await api.all<Named>('/api/v1/nodes'), node, 'node').id } : {}),
    ...(target ? { target: findOne(await api.all<Named>('/api/v1/targets'), target, 'target').id } : {}), ...(paused ? { paused: 'true' } : {}),
  }).toString();
  const [items, names] = await Promise.all([api.all<TaskView>(query ? `${tasksPath}?${query}` : tasksPath), nodeNames(api)]);
  for (const item of items) context.output.message('task', item);
  context.output.text(table(['ID', 'NAME', 'NODE', 'SCHEDULE', 'NEXT START', 'STATUS'],
    items.map((task) => [task.id, task.name, whereOf(task, names), scheduleText(task), task.nextStart ?? '', task.status])));
};

const showTask = async (context: CommandContext, name: string): Promise<void> => {
  const api = await context.api();
  const [task, nodes, targets] = await Promise.all([
    taskOf(api, name), nodeNames(api), api.all<Named & { readonly name: string }>('/api/v1/targets'),
  ]);
  context.output.result('task', task, taskText(task, { nodes, targets: named(targets) }));
};

interface PreviewView {
  readonly instants: readonly string[];
  readonly expiring: readonly { readonly snapshot: string; readonly node: string; readonly time: string }[];
}

const previewTask = async (context: CommandContext, name: string, starts: string): Promise<void> => {
  const api = await context.api();
  const { id } = await taskOf(api, name);
  const [preview, names] = await Promise.all([api.post<PreviewView>(`${tasksPath}/${id}:preview`, { instants: numberOf('--starts', starts) }), nodeNames(api)]);
  const rows = [
    ...preview.instants.map((instant) => ['start', instant, '', '']),
    ...preview.expiring.map(({ snapshot, node, time }) => ['no longer kept', time, snapshot, names.get(node) ?? node]),
  ];
  context.output.result('preview', { id, ...preview }, rows.length === 0 ? 'It starts by hand only, and keeps all of its snapshots.' : table(['WHAT', 'WHEN', 'SNAPSHOT', 'NODE'], rows));
};

/** What needs nothing but a word. */
const registerWords = (tasks: Command, context: CommandContext): void => {
  for (const verb of ['pause', 'resume'] as const) {
    withExamples(tasks.command(`${verb} <task>`).description(`${verb} the schedule`), `tasks ${verb} homes`).action(async (name: string) => {
      const api = await context.api();
      const task = await taskOf(api, name);
      await api.post(`${tasksPath}/${task.id}:${verb}`);
      context.output.result('task', { id: task.id, changed: verb }, `${task.name}: ${verb}d`);
    });
  }
  withExamples(tasks.command('rm <task>').description('delete the task; its snapshots stay'), 'tasks rm homes').action(async (name: string) => {
    const api = await context.api();
    const task = await taskOf(api, name);
    await api.delete(`${tasksPath}/${task.id}`);
    context.output.result('task', { id: task.id, changed: 'rm' }, `${task.name}: deleted`);
  });
};

/** `holdfast tasks ...`. */
export const registerTasks = (program: Command, context: CommandContext): void => {
  const tasks = program.command('tasks').description('what to back up, when and where to');
  withExamples(tasks.command('ls').description('all tasks'), 'tasks ls --node web-1', 'tasks ls --json')
    .option('--node <node>', 'only those that name this host').option('--target <target>', 'only those that write there').option('--paused', 'only those that rest')
    .action((flags: ListFlags) => listTasks(context, flags));
  withExamples(tasks.command('show <task>').description('one task, everything that it says'), 'tasks show homes').action((name: string) => showTask(context, name));
  withExamples(withTaskFlags(tasks.command('add <name>').alias('create').description('define a task')
    .requiredOption('--path <path...>', 'what to back up').option('--target <target>', 'where to (default: the only one)')),
  'tasks add etc --node web-1 --path /etc --schedule "0 3 * * *" --keep-daily 14', 'tasks add homes --selector tier=file,site=vienna --place all --offline skip --path /home')
    .action((name: string, flags: TaskFlags) => addTask(context, name, flags));
  withExamples(withTaskFlags(tasks.command('edit <task>').alias('change').description('change what is given; the rest stays as it is, and runs that were asked for too')
    .option('--name <name>', 'another name').option('--path <path...>', 'what to back up, all of it').option('--target <target>', 'where to'))
    .option('--no-exclude', 'leave nothing out').option('--no-one-file-system', 'cross into other file systems').option('--no-caches', 'leave caches out')
    .option('--no-schedule', 'start by hand only'),
  'tasks edit homes --place any --offline wait --wait 2h', 'tasks edit homes --node web-1 --node web-2', 'tasks edit etc --schedule "30 2 * * *" --keep-daily none')
    .action((name: string, flags: TaskFlags & { readonly name?: string }) => changeTask(context, name, flags));
  withExamples(tasks.command('preview <task>').description('when it starts next, and which snapshots it no longer keeps'), 'tasks preview homes --starts 10')
    .option('--starts <n>', 'how many', '5').action((name: string, { starts }: { readonly starts: string }) => previewTask(context, name, starts));
  registerWords(tasks, context);
};
