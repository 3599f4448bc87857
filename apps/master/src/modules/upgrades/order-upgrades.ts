import { Injectable } from '@nestjs/common';
import { AppError, fault, isAppError } from '#kernel';
import { type CommandContext, Commands } from '../../platform/index.ts';
import { AgentBuilds, type AgentRelease } from '../install/index.ts';
import { type NodeAnswer, NodeViews } from '../nodes/index.ts';
import { upgradeDecider } from './domain/upgrade.decide.ts';
import type { UpgradeOutcome } from './http/upgrade.dto.ts';

/** What an agent's `process.arch` is called in the names of builds. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const refuseUnlessOwn = ({ host, name }: NodeAnswer): string => {
  if (!host) throw fault('conflict', 'node-not-enrolled', `${name} has no agent yet; enrol it with a link`);
  if (host.installMode === 'docker') {
    throw fault('refused', 'upgraded-otherwise', `The agent of ${name} runs in a container; upgrade it there with the install command of a new link`);
  }
  if (host.installMode === 'unbuilt') {
    throw fault('refused', 'upgraded-otherwise', `The agent of ${name} is not one file that it could replace; it is upgraded with the installation it runs from`);
  }
  const arch = architectures[host.arch];
  if (host.platform !== 'linux' || arch === undefined) throw fault('refused', 'agent-build-missing', `There is no agent for ${host.platform} on ${host.arch}`);
  return arch;
};

/** Orders agents to become another version. */
@Injectable()
export class OrderUpgrades {
  constructor(private readonly commands: Commands, private readonly builds: AgentBuilds, private readonly nodes: NodeViews) {}

  /** One node. Throws `node-not-found`, `node-not-enrolled`, `upgraded-otherwise` or `agent-build-missing`. */
  async one(context: CommandContext, id: string, version: string): Promise<UpgradeOutcome> {
    return this.order(context, await this.nodes.show(id), version);
  }

  /** Several; what one node refuses stops no other. */
  async many(context: CommandContext, nodes: readonly NodeAnswer[], version: string): Promise<UpgradeOutcome[]> {
    const outcomes: UpgradeOutcome[] = [];
    for (const node of nodes) outcomes.push(await this.order(context.step(node.id), node, version).catch((error: unknown) => refused(node, error)));
    return outcomes;
  }

  private async order(context: CommandContext, node: NodeAnswer, wanted: string): Promise<UpgradeOutcome> {
    const release: AgentRelease = await this.builds.describe(wanted, refuseUnlessOwn(node));
    const { version, sha256, size } = release;
    const told = { node: node.id, name: node.name, version, ...(node.version === undefined ? {} : { from: node.version }) };
    if (node.version === version && node.upgrade?.status !== 'ordered') return { ...told, outcome: 'current' };
    const order = { upgrade: context.newId('upgrade'), version, sha256, size, ...(node.version === undefined ? {} : { from: node.version }) };
    await this.commands.execute(context, (unit) => unit.decide(upgradeDecider, node.id, { type: 'OrderUpgrade', order }));
    return { ...told, outcome: 'ordered' };
  }
}

const refused = ({ id, name, version }: NodeAnswer, error: unknown): UpgradeOutcome => {
  if (!isAppError(error) || error.kind === 'internal') throw error;
  const { code, detail } = error satisfies AppError;
  return { node: id, name, outcome: 'refused', ...(version === undefined ? {} : { from: version }), code, detail };
};
