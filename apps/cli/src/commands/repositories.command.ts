import type { Command } from 'commander';
import { fault } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { humanBytes, table } from '../format.ts';
import { exitCodeOfRun, followRun } from '../runs/follow-run.ts';
import type { PruneCounts } from '../runs/prune-counts.ts';
import type { RunView } from '../runs/run-view.ts';
import { type Named, findOne } from './find.ts';

interface RepositoryView extends PruneCounts {
  readonly id: string;
  readonly node: string;
  readonly target: string;
  readonly snapshots: number;
  readonly latestSnapshot?: string;
}

interface Which {
  readonly node?: string;
  readonly target?: string;
}

const load = async (api: ApiClient) => {
  const [repositories, nodes, targets] = await Promise.all([api.all<RepositoryView>('/api/v1/repositories'), api.all<Named>('/api/v1/nodes'), api.all<Named>('/api/v1/targets')]);
  return { repositories, nodes, targets };
};

const nameOf = (items: readonly Named[], id: string): string => items.find((item) => item.id === id)?.name ?? id;

const bytesOf = (bytes: number | undefined): string => (bytes === undefined ? '' : humanBytes(bytes));

const chosen = async (api: ApiClient, { node, target }: Which): Promise<RepositoryView> => {
  const { repositories, nodes, targets } = await load(api);
  const ofNode = node === undefined ? undefined : findOne(nodes, node, 'node').id;
  const ofTarget = target === undefined ? undefined : findOne(targets, target, 'target').id;
  const found = repositories.filter((one) => (ofNode === undefined || one.node === ofNode) && (ofTarget === undefined || one.target === ofTarget));
  const [only, ...others] = found;
  if (!only) throw fault('not-found', 'repository-not-found', 'There is no such repository; list them with holdfast repositories ls');
  if (others.length > 0) throw fault('validation', 'repository-ambiguous', `${found.length} repositories are meant; say which with --node and --target`);
  return only;
};

/** `holdfast repositories ls` and `holdfast prune`. */
export const registerRepositories = (program: Command, context: CommandContext): void => {
  const list = program.command('repositories').description('the encrypted object set of one node in one target').command('ls').description('all repositories');
  list.addHelpText('after', `
What the last prune counted: STORED in the target; LIVE, what snapshots need before compression, every chunk once; COMPACTABLE, about what
compaction of the packs could free of STORED. Backups since then add to them.`);
  list.action(async () => {
    const { repositories, nodes, targets } = await load(await context.api());
    for (const one of repositories) context.output.message('repository', one);
    context.output.text(table(['ID', 'NODE', 'TARGET', 'SNAPSHOTS', 'LATEST', 'PRUNED', 'STORED', 'LIVE', 'COMPACTABLE'], repositories.map((one) => [
      one.id, nameOf(nodes, one.node), nameOf(targets, one.target), String(one.snapshots), one.latestSnapshot ?? '', one.prunedAt ?? '',
      bytesOf(one.storedBytes), bytesOf(one.livePlainBytes), bytesOf(one.compactableBytes),
    ])));
  });
  program.command('prune').description('forget the snapshots that the tasks of a repository no longer keep, and remove what only they needed')
    .option('--node <node>', 'whose repository (default: the only one)').option('--target <target>', 'in which target (default: the only one)')
    .option('--follow', 'show progress until it ends')
    .addHelpText('after', '\nWhat is kept: --keep-last of each task, and snapshots that are held.\nExample: holdfast prune --node web-1 --target builtin --follow')
    .action(async ({ follow, ...which }: Which & { readonly follow?: boolean }) => {
      const api = await context.api();
      const { id } = await api.post<{ readonly id: string }>(`/api/v1/repositories/${(await chosen(api, which)).id}:prune`);
      if (!follow) return context.output.result('run', { id, kind: 'prune' } satisfies Partial<RunView>, id);
      return context.onExitCode(exitCodeOfRun(await followRun(api, id, context.output, context.clock)));
    });
};
