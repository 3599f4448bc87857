import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import { AddressLimit, CONFIG, type CommandContext, Context, type MasterConfig, Public, publicUrlOf } from '../../../platform/index.ts';
import { Enrolment } from '../../enrolment/index.ts';
import { NodeViews } from '../../nodes/index.ts';
import { installScript, refusalScript } from '../install-script.ts';
import { InstallStatusAnswer, InstallStatusRequest } from './install.dto.ts';

const newLink = 'make a new link with "POST /api/v1/enrolment-links" and run its command';
const reasons = {
  unknown: `this install link is unknown; copy the whole command, or ${newLink}`,
  consumed: `this install link has been used already, it works once; ${newLink}`,
  expired: `this install link has expired; ${newLink}`,
  revoked: `this install link was taken back by an operator; ${newLink}`,
} as const;
const open = 'The link has not been used yet: the agent did not enrol';

/** Where a host gets the script of its link. The link is the proof, so there is no log-in. */
@ApiTags('installation of agents')
@Public()
@UseGuards(AddressLimit)
@Controller()
export class InstallHttp {
  constructor(private readonly enrolment: Enrolment, private readonly nodes: NodeViews, @Inject(CONFIG) private readonly config: MasterConfig) {}

  /** A shell script that installs the agent of this link; for a link that is over, one that says so and ends with 1. Spends nothing. */
  @Get('install/:link')
  @ApiParam({ name: 'link', description: 'the token of an enrolment link' })
  @ApiProduces('text/x-shellscript')
  @ApiOkResponse({ description: 'The script', schema: { type: 'string' } })
  @Header('content-type', 'text/x-shellscript; charset=utf-8') @Header('cache-control', 'no-store')
  async script(@Context() context: CommandContext, @Param('link') token: string): Promise<string> {
    const link = await this.enrolment.look(context, token);
    if (link?.status !== 'open') return refusalScript(reasons[link?.status ?? 'unknown']);
    const install = link.install ?? { mode: 'systemd', arch: 'auto', version: 'current' };
    return installScript({ master: install.master ?? publicUrlOf(this.config), token, node: link.name, install });
  }

  /** Whether the node of a link is online by now: what the script waits for. */
  @Post('api/v1/install/status') @HttpCode(200)
  async status(@Context() context: CommandContext, @Body() { token }: InstallStatusRequest): Promise<InstallStatusAnswer> {
    const link = await this.enrolment.look(context, token);
    if (!link) return { link: 'unknown', detail: reasons.unknown };
    const { presence, presenceReason } = await this.nodes.show(link.node);
    const seen = `The agent has enrolled and is ${presence}${presenceReason ? ` (${presenceReason})` : ''}${presence === 'online' ? '' : '; it must reach the NATS servers of the masters'}`;
    return { link: link.status, node: link.node, presence, detail: link.status === 'consumed' ? seen : link.status === 'open' ? open : reasons[link.status] };
  }
}
