import type { Command } from 'commander';
import { counted, fault } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../format.ts';
import { findOne } from './find.ts';
import { withExamples } from './help.ts';
import { labelsAfter } from './labels.ts';
import { numberOf } from './length-of-time.ts';
import { type NodeView, nodeText } from './node-text.ts';

const find = async (api: ApiClient, name: string): Promise<NodeView> => findOne(await api.all<NodeView>('/api/v1/nodes'), name, 'node');

/** A change of one node that needs nothing but a word. */
const change = (nodes: Command, context: CommandContext, { verb, description, done }: { readonly verb: string; readonly description: string; readonly done: string }): void => {
  const withReason = verb === 'drain' || verb === 'disable';
  const command = withExamples(nodes.command(`${verb} <node>`).description(description), `nodes ${verb} web-1${withReason ? ' --reason "new disk"' : ''}`);
  if (withReason) command.option('--reason <text>', 'shown beside the node');
  command.action(async (name: string, { reason }: { readonly reason?: string }) => {
    const api = await context.api();
    const node = await find(api, name);
    await api.post(`/api/v1/nodes/${node.id}:${verb}`, reason === undefined ? {} : { reason });
    context.output.result('node', { id: node.id, changed: verb }, `${node.name}: ${done}`);
  });
};

const registerEdits = (nodes: Command, context: CommandContext): void => {
  withExamples(nodes.command('rename <node> <name>').description('give the node another name; its id stays'), 'nodes rename web-1 web-01').action(async (name: string, to: string) => {
    const api = await context.api();
    const node = await find(api, name);
    await api.patch(`/api/v1/nodes/${node.id}`, { name: to });
    context.output.result('node', { id: node.id, name: to }, `${node.name} is ${to} now`);
  });
  withExamples(nodes.command('label <node> [labels...]').description('show labels, set them with key=value, take them away with key-'), 'nodes label web-1 site=vienna old-').action(async (name: string, words: string[]) => {
    const api = await context.api();
    const node = await find(api, name);
    const labels = labelsAfter(node.labels, words);
    // Somebody else's change in between is not to be lost.
    if (words.length > 0) await api.patch(`/api/v1/nodes/${node.id}`, { labels }, { 'if-match': `"${node.revision}"` });
    context.output.result('node', { id: node.id, labels }, Object.entries(labels).map(([key, value]) => `${key}=${value}`).join('\n') || 'no labels');
  });
  withExamples(nodes.command('slots <node> <number>').description('how many runs it may work on at once'), 'nodes slots web-1 2').action(async (name: string, number: string) => {
    const slots = numberOf('slots', number);
    const api = await context.api();
    const node = await find(api, name);
    await api.patch(`/api/v1/nodes/${node.id}`, { slots });
    context.output.result('node', { id: node.id, slots }, `${node.name}: ${counted(slots, 'slot')}`);
  });
  withExamples(nodes.command('rm <node>').description('remove a node that is offline and that no task names; its snapshots stay'), 'nodes rm web-1').action(async (name: string) => {
    const api = await context.api();
    const node = await find(api, name);
    await api.delete(`/api/v1/nodes/${node.id}`);
    context.output.result('node', { id: node.id, changed: 'rm' }, `${node.name}: removed`);
  });
};

interface UpgradeFlags {
  readonly all?: boolean;
  readonly label?: readonly string[];
  readonly version?: string;
}

interface Outcome {
  readonly node: string;
  readonly name: string;
  readonly outcome: string;
  readonly version?: string;
  readonly from?: string;
  readonly code?: string;
  readonly detail?: string;
}

const selectionOf = async (api: ApiClient, names: readonly string[], { all, label }: UpgradeFlags): Promise<object> => {
  if ([names.length > 0, all === true, label !== undefined].filter(Boolean).length !== 1) {
    throw fault('validation', 'selection-invalid', 'Say which agents: names of nodes, or --label key=value, or --all');
  }
  if (all) return { all };
  if (label) return { labels: labelsAfter({}, label) };
  const known = await api.all<NodeView>('/api/v1/nodes');
  return { nodes: names.map((name) => findOne(known, name, 'node').id) };
};

const registerUpgrade = (nodes: Command, context: CommandContext): void => {
  withExamples(nodes.command('upgrade [nodes...]').description('order agents to become the master\'s version, or another; each goes back by itself when that does not come online'),
    'nodes upgrade web-1 web-2', 'nodes upgrade --label site=vienna', 'nodes upgrade --all')
    .option('--all', 'every node that has an agent')
    .option('--label <key=value>', 'nodes with this label; several: with all of them', (word: string, before: readonly string[] = []) => [...before, word])
    .option('--version <version>', 'default: the master\'s')
    .action(async (names: string[], flags: UpgradeFlags) => {
      const api = await context.api();
      const body = { ...(await selectionOf(api, names, flags)), ...(flags.version === undefined ? {} : { version: flags.version }) };
      const { items } = await api.post<{ readonly items: readonly Outcome[] }>('/api/v1/nodes:upgrade', body);
      for (const item of items) context.output.message('upgrade', item);
      const rows = items.map(({ name, outcome, from, version, code, detail }) => [name, outcome, from ?? '', version ?? '', code ? `${code}: ${detail}` : '']);
      context.output.text(table(['NODE', 'OUTCOME', 'FROM', 'TO', ''], rows));
      if (items.some(({ outcome }) => outcome === 'refused')) context.onExitCode(exitCodes.refused);
    });
};

/** What becomes of a node after it was added: `holdfast nodes show|rename|label|slots|drain|resume|disable|enable|rm|upgrade`. */
export const registerLifecycle = (nodes: Command, context: CommandContext): void => {
  withExamples(nodes.command('show <node>').description('one node, everything known of it'), 'nodes show web-1').action(async (name: string) => {
    const api = await context.api();
    const node = await api.get<NodeView>(`/api/v1/nodes/${(await find(api, name)).id}`);
    context.output.result('node', node, nodeText(node));
  });
  change(nodes, context, { verb: 'drain', description: 'running work goes on, no new work starts; it waits', done: 'drained' });
  change(nodes, context, { verb: 'resume', description: 'take new work again', done: 'resumed' });
  change(nodes, context, { verb: 'disable', description: 'out of service: no work starts, and schedules make none', done: 'out of service' });
  change(nodes, context, { verb: 'enable', description: 'back in service', done: 'in service' });
  registerEdits(nodes, context);
  registerUpgrade(nodes, context);
};
