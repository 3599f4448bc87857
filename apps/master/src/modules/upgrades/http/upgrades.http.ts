import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { type CommandContext, Context, invalidRequest } from '../../../platform/index.ts';
import { type NodeAnswer, NodeViews } from '../../nodes/index.ts';
import { OrderUpgrades } from '../order-upgrades.ts';
import { UpgradeManyRequest, UpgradeOutcome, UpgradeOutcomes, UpgradeRequest } from './upgrade.dto.ts';

/** Upgrades of agents from here. How far one is stands with its node. */
@ApiTags('nodes')
@Controller('api/v1')
export class UpgradesHttp {
  constructor(private readonly orders: OrderUpgrades, private readonly nodes: NodeViews) {}

  /**
   * Orders the agent of the node to become another version. It fetches the file from the masters, tries it, and goes back by itself when
   * the new version does not come online. An agent in a container, or without a file of its own, is `upgraded-otherwise`.
   */
  @Post('nodes/:id\\:upgrade') @HttpCode(200)
  upgrade(@Context() context: CommandContext, @Param('id') id: string, @Body() { version = 'current' }: UpgradeRequest): Promise<UpgradeOutcome> {
    return this.orders.one(context, id, version);
  }

  /** The same for a list of nodes, for those with labels, or for all; answers for each node what became of it. */
  @Post('nodes\\:upgrade') @HttpCode(200)
  @ApiBody({ schema: { allOf: [{ $ref: getSchemaPath(UpgradeManyRequest) }], oneOf: [{ required: ['nodes'] }, { required: ['labels'] }, { required: ['all'] }] } })
  @ApiExtraModels(UpgradeManyRequest)
  async upgradeMany(@Context() context: CommandContext, @Body() { version = 'current', ...which }: UpgradeManyRequest): Promise<UpgradeOutcomes> {
    return { items: await this.orders.many(context, await this.chosen(which), version) };
  }

  private async chosen({ nodes, labels, all }: UpgradeManyRequest): Promise<NodeAnswer[]> {
    if ([nodes, labels, all === true ? all : undefined].filter((wish) => wish !== undefined).length !== 1) {
      throw invalidRequest([{ field: 'nodes', detail: 'say which nodes: either nodes, or labels, or all' }]);
    }
    if (nodes) return Promise.all([...new Set(nodes)].map((id) => this.nodes.show(id)));
    const known = await this.nodes.every();
    return known.filter((node) => node.host && Object.entries(labels ?? {}).every(([key, value]) => node.labels[key] === value));
  }
}
