import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { exitCodeOfRun, followRun } from '../runs/follow-run.ts';
import type { RunView } from '../runs/run-view.ts';
import { withExamples } from './help.ts';
import { registerRuns } from './runs.command.ts';
import { nodesNamed, registerTasks, taskOf } from './tasks.command.ts';

interface RunFlags {
  readonly follow?: boolean;
  readonly node?: readonly string[];
}

const startTask = async (context: CommandContext, name: string, { follow, node }: RunFlags): Promise<void> => {
  const api = await context.api();
  const { id } = await taskOf(api, name);
  const started = await api.post<{ readonly id: string; readonly runs: readonly string[] }>(`/api/v1/tasks/${id}:run`, await nodesNamed(api, node));
  if (!follow) return context.output.result('run', started, started.runs.join('\n'));
  const ended: RunView[] = [];
  for (const run of started.runs) ended.push(await followRun(api, run, context.output, context.clock));
  // What went wrong on one of several nodes is not made good by the others.
  return context.onExitCode(ended.map(exitCodeOfRun).find((code) => code !== 0) ?? 0);
};

const registerRun = (program: Command, context: CommandContext): void => {
  withExamples(program.command('run <task>').description('run a task now; with --follow the exit code is that of the run: 0 succeeded, 1 failed, 3 partial, 130 cancelled'),
    'run homes --follow', 'run etc --node web-1')
    .option('--follow', 'show progress until it ends')
    .option('--node <node>', 'only on this one of the hosts that it names; several times for several', (node: string, before: readonly string[] = []) => [...before, node])
    .action((name: string, flags: RunFlags) => startTask(context, name, flags));
};

/** `holdfast tasks ...`, `holdfast run` and `holdfast runs ...`. */
export const registerWork = (program: Command, context: CommandContext): void => {
  registerTasks(program, context);
  registerRun(program, context);
  registerRuns(program, context);
};
