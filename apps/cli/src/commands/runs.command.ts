import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { printable } from '../format.ts';
import { exitCodeOfRun, followRun } from '../runs/follow-run.ts';
import { nodeNames } from '../runs/node-names.ts';
import { followLog, readLog } from '../runs/run-log.ts';
import { runText, runsTable } from '../runs/run-text.ts';
import type { RunView } from '../runs/run-view.ts';
import { findOne } from './find.ts';
import { withExamples } from './help.ts';

/** A whole id as it is; the beginning of one among the latest runs. Only whole ids of old runs are known. */
const runOf = async (api: ApiClient, text: string): Promise<string> => {
  if (!/^(run_)?[0-9a-z]{3,19}$/.test(text)) return encodeURIComponent(text);
  const { items } = await api.get<{ readonly items: readonly RunView[] }>('/api/v1/runs?limit=500');
  return findOne(items, text, 'run').id;
};

/** `holdfast runs ...`. */
export const registerRuns = (program: Command, context: CommandContext): void => {
  const runs = program.command('runs').description('executions of tasks');
  withExamples(runs.command('ls').description('the latest runs'), 'runs ls -n 50', 'runs ls --parent run_0123456789abcdefghjk').option('-n, --limit <n>', 'how many', '20').option('--parent <run>', 'the runs of this parent run').action(async (options: { limit: string; parent?: string }) => {
    const which = options.parent === undefined ? 'topLevel=true' : `parent=${encodeURIComponent(options.parent)}`;
    const api = await context.api();
    const [page, names] = await Promise.all([
      api.get<{ readonly items: readonly RunView[] }>(`/api/v1/runs?limit=${encodeURIComponent(options.limit)}&${which}`), nodeNames(api),
    ]);
    for (const item of page.items) context.output.message('run', item);
    context.output.text(runsTable(page.items, names));
  });
  withExamples(runs.command('show <run>').description('one run with its attempts and faults'), 'runs show run_01234').action(async (id: string) => {
    const api = await context.api();
    const [run, names] = await Promise.all([api.get<RunView>(`/api/v1/runs/${await runOf(api, id)}`), nodeNames(api)]);
    context.output.result('run', run, runText(run, names));
  });
  withExamples(runs.command('follow <run>').description('show progress until it ends'), 'runs follow run_01234').action(async (id: string) => {
    const api = await context.api();
    context.onExitCode(exitCodeOfRun(await followRun(api, await runOf(api, id), context.output, context.clock)));
  });
  withExamples(runs.command('log <run>').description('what the agent said while it worked'), 'runs log run_01234 --follow').option('--follow', 'each line as it comes, until the run ends')
    .action(async (text: string, options: { follow?: boolean }) => {
      const api = await context.api();
      const id = await runOf(api, text);
      const parts = { api, clock: context.clock, signal: new AbortController().signal };
      for await (const line of options.follow ? followLog(parts, id) : readLog(parts.api, id)) {
        context.output.result('log', { run: id, ...line }, `${line.time}  ${line.level.padEnd(5)}  ${printable(line.text)}`);
      }
    });
  withExamples(runs.command('cancel <run>').description('end a run'), 'runs cancel run_01234').action(async (id: string) => {
    const api = await context.api();
    const run = await api.post<RunView>(`/api/v1/runs/${await runOf(api, id)}:cancel`);
    context.output.result('run', run, `${run.id} ${run.status}`);
  });
  withExamples(runs.command('retry <run>').description('try a run again that ended without a result; of a parent run those of its runs that did'), 'runs retry run_01234').action(async (id: string) => {
    const api = await context.api();
    const run = await api.post<RunView>(`/api/v1/runs/${await runOf(api, id)}:retry`);
    context.output.result('run', run, `${run.id} ${run.status}`);
  });
};
