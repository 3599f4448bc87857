import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { invalidRequest, type CommandContext, Context, IfMatch } from '../../../platform/index.ts';
import type { Labels } from '../domain/node.events.ts';
import { NodeCommands } from '../node-commands.ts';
import { NodeViews } from '../node-views.ts';
import { AddNodeRequest, ChangeNodeRequest, DisableRequest, DrainRequest, NodeAnswer, NodeIdAnswer, NodePage, NodeQuery } from './node.dto.ts';

/** Labels come as an open object, so their shape is checked here. */
const checkLabels = (labels: Labels | undefined): void => {
  if (labels === undefined) return;
  const entries = Object.entries(labels as Record<string, unknown>);
  const faulty = entries.filter(([key, value]) => !/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/.test(key) || typeof value !== 'string' || value.length > 128);
  const detail = 'a label is a word of up to 64 letters, digits, dots, dashes and slashes with a text of up to 128 characters; at most 32 of them';
  if (faulty.length > 0 || entries.length > 32) throw invalidRequest([{ field: `labels${faulty[0] ? `.${faulty[0][0]}` : ''}`, detail }]);
};

/** The protected hosts. */
@ApiTags('nodes')
@Controller('api/v1/nodes')
export class NodesHttp {
  constructor(private readonly nodes: NodeCommands, private readonly views: NodeViews) {}

  /** Nodes by name; filters may be combined. */
  @Get()
  list(@Query() query: NodeQuery): Promise<NodePage> {
    return this.views.list(query);
  }

  @Get(':id')
  show(@Param('id') id: string): Promise<NodeAnswer> {
    return this.views.show(id);
  }

  /** Announces a host. Its agent enrols with a link: see `enrolment-links`. */
  @Post()
  async add(@Context() context: CommandContext, @Body() body: AddNodeRequest): Promise<NodeIdAnswer> {
    checkLabels(body.labels);
    return { id: await this.nodes.add(context, body) };
  }

  /** Changes name, labels or slots. Send `If-Match` to be told when somebody else was faster. */
  @Patch(':id') @HttpCode(204)
  change(@Context() context: CommandContext, @Param('id') id: string, @Body() body: ChangeNodeRequest, @IfMatch() seen?: number): Promise<void> {
    checkLabels(body.labels);
    return this.nodes.change(context, id, { ...body }, seen);
  }

  /** Out of service until it is enabled: no run begins there, its schedules are skipped, its silence is no alarm. What runs goes on. */
  @Post(':id\\:disable') @HttpCode(204)
  disable(@Context() context: CommandContext, @Param('id') id: string, @Body() body: DisableRequest): Promise<void> {
    return this.nodes.disable(context, id, body.reason ?? '');
  }

  @Post(':id\\:enable') @HttpCode(204)
  enable(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.nodes.enable(context, id);
  }

  /** No new run begins there, they wait; what runs goes on. */
  @Post(':id\\:drain') @HttpCode(204)
  drain(@Context() context: CommandContext, @Param('id') id: string, @Body() body: DrainRequest): Promise<void> {
    return this.nodes.drain(context, id, body.reason ?? '');
  }

  @Post(':id\\:resume') @HttpCode(204)
  resume(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.nodes.resume(context, id);
  }
}
