import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type Answer, SelfAsk, type SelfAnswer } from '#contracts';
import type { InstallationKeys } from '#identity';
import { OnAsk, RequestContext } from '#messaging';
import { CONFIG, KEYS, type MasterConfig } from '../../platform/index.ts';
import { version } from '../../platform/version.ts';
import { AgentVersions, NodeLookup, type NodeView } from '../nodes/index.ts';
import { AgentWords } from '../presence/index.ts';
import { UpgradeReports } from '../upgrades/index.ts';

/** Tells an agent who it is to the masters: what was set for its node after it enrolled. Takes what it says of itself. */
@Controller()
export class SelfSubscriber {
  constructor(
    private readonly nodes: NodeLookup,
    private readonly versions: AgentVersions,
    private readonly words: AgentWords,
    private readonly upgrades: UpgradeReports,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    @Inject(CONFIG) private readonly config: Pick<MasterConfig, 'agents'>,
  ) {}

  @OnAsk('self')
  async self(@Payload() ask: SelfAsk, @Ctx() { node }: RequestContext): Promise<Answer<SelfAnswer>> {
    const { id } = ask;
    const known = await this.nodes.find(node);
    if (!known) return { id, status: 'refused', code: 'node-not-found', detail: 'The masters know no such node; it was removed', retryable: false };
    // A second agent that speaks as this node says nothing of its host.
    const counts = known.instance === undefined || known.instance === ask.instance;
    if (counts) await this.words.keep(node, ask);
    const upgrade = counts ? await this.upgrades.hear(node, ask) : undefined;
    return { id, status: 'ok', value: { ...this.answer(known, ask.version), ...(upgrade ? { upgrade } : {}) } };
  }

  private answer({ id: node, name, slots, drained }: NodeView, agent: string): SelfAnswer {
    const { id, publicKey } = this.keys.commandSigning;
    const gate = this.versions.gate(agent);
    return {
      node, name, slots, drained, masterVersion: version, commandKeys: [{ id, publicKey }], heartbeatSeconds: this.config.agents.heartbeat,
      ...(gate ? { gate: { code: gate.code, detail: gate.detail } } : {}),
    };
  }
}
