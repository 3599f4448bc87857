import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';
import { findOne } from './find.ts';

interface NodeView {
  readonly id: string;
  readonly name: string;
  readonly presence: string;
  readonly drained: boolean;
  readonly slots: number;
  readonly version?: string;
  readonly lastSeenAt?: string;
}

interface TargetView {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
}

const registerNodes = (program: Command, context: CommandContext): void => {
  const nodes = program.command('nodes').description('protected hosts');
  nodes.command('ls').description('all nodes').action(async () => {
    const items = await (await context.api()).all<NodeView>('/api/v1/nodes');
    for (const item of items) context.output.message('node', item);
    const rows = items.map((node) => [node.id, node.name, node.drained ? `${node.presence}, drained` : node.presence, String(node.slots), node.version ?? '', node.lastSeenAt ?? '']);
    context.output.text(table(['ID', 'NAME', 'PRESENCE', 'SLOTS', 'VERSION', 'LAST SEEN'], rows));
  });
  nodes.command('show <node>').description('one node, everything known of it').action(async (name: string) => {
    const api = await context.api();
    const node = await api.get<object>(`/api/v1/nodes/${findOne(await api.all<NodeView>('/api/v1/nodes'), name, 'node').id}`);
    context.output.result('node', node, JSON.stringify(node, undefined, 2));
  });
  nodes.command('add <name>').description('add a node and print the one-time token its agent enrols with').action(async (name: string) => {
    const api = await context.api();
    const node = await api.post<NodeView>('/api/v1/nodes', { name });
    const link = await api.post<{ readonly token: string; readonly expiresAt: string }>('/api/v1/enrolment-links', { node: node.id });
    context.output.result('enrolment-link', { node: node.id, ...link }, `${node.id}\ntoken ${link.token} (once, until ${link.expiresAt})`);
  });
  for (const verb of ['drain', 'resume'] as const) {
    nodes.command(`${verb} <node>`).description(verb === 'drain' ? 'running work goes on, no new work starts' : 'take new work again').action(async (name: string) => {
      const api = await context.api();
      const node = findOne(await api.all<NodeView>('/api/v1/nodes'), name, 'node');
      await api.post(`/api/v1/nodes/${node.id}:${verb}`);
      context.output.result('node', { id: node.id, changed: verb }, `${node.name}: ${verb === 'drain' ? 'drained' : 'resumed'}`);
    });
  }
};

const registerTargets = (program: Command, context: CommandContext): void => {
  const targets = program.command('targets').description('places that store objects');
  targets.command('ls').description('all targets').action(async () => {
    const items = await (await context.api()).all<TargetView>('/api/v1/targets');
    for (const item of items) context.output.message('target', item);
    context.output.text(table(['ID', 'NAME', 'KIND'], items.map((target) => [target.id, target.name, target.kind])));
  });
  targets.command('test <target>').description('prove that the target keeps what it must keep').action(async (name: string) => {
    const api = await context.api();
    const target = findOne(await api.all<TargetView>('/api/v1/targets'), name, 'target');
    const result = await api.post<object>(`/api/v1/targets/${target.id}:test`);
    context.output.result('target-test', result, JSON.stringify(result, undefined, 2));
  });
};

/** `holdfast nodes ...` and `holdfast targets ...`. */
export const registerFleet = (program: Command, context: CommandContext): void => {
  registerNodes(program, context);
  registerTargets(program, context);
};
