import { Body, Controller, Get, HttpCode, Inject, Post, Query, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { decodeJwt } from '#identity';
import { rfc3339 } from '#kernel';
import { AddressLimit, CONFIG, type CommandContext, Context, INSTALLATION, type MasterConfig, NATS_CA, Public, publicUrlOf } from '../../../platform/index.ts';
import { installCommands } from '../install-commands.ts';
import { CommandConsumers } from '../command-consumers.process.ts';
import { EnrolmentLinks } from '../enrolment-links.query.ts';
import { Enrolment } from '../enrolment.service.ts';
import { EnrolAnswer, EnrolRequest, IssueLinkRequest, LinkAnswer, LinkPage, LinkQuery } from './enrolment.dto.ts';
import { installOptionsOf, linkLives } from './install-options.dto.ts';

/** How agents become nodes. */
@ApiTags('enrolment')
@Controller('api/v1')
export class EnrolmentHttp {
  constructor(
    private readonly enrolment: Enrolment,
    private readonly links: EnrolmentLinks,
    private readonly consumers: CommandConsumers,
    @Inject(CONFIG) private readonly config: MasterConfig,
    @Inject(INSTALLATION) private readonly installation: string,
    @Inject(NATS_CA) private readonly ca: string | undefined,
  ) {}

  /** Links, the newest first: which are open, spent by an agent, or expired. Tokens are not shown again. */
  @Get('enrolment-links')
  list(@Query() query: LinkQuery): Promise<LinkPage> {
    return this.links.list(query);
  }

  /** Makes a one-time link for a node. The answer is the only place where its token is ever shown. */
  @Post('enrolment-links')
  async issue(@Context() context: CommandContext, @Body() body: IssueLinkRequest): Promise<LinkAnswer> {
    const { node, life = '15m' } = body;
    const install = installOptionsOf(body);
    const { id, token, expiresAt } = await this.enrolment.issue(context, node, linkLives[life], install);
    return { id, node, token, expiresAt, remainingSeconds: linkLives[life] / 1000, ...installCommands(install.master ?? publicUrlOf(this.config), token, install) };
  }

  /** Spends a link; called by agents. The link is the proof, so there is no log-in. */
  @Post('enrol') @HttpCode(200) @Public() @UseGuards(AddressLimit)
  async enrol(@Context() context: CommandContext, @Body() body: EnrolRequest): Promise<EnrolAnswer> {
    const { node, name, jwt } = await this.enrolment.enrol(context, body);
    await this.consumers.ensure(node);
    const { id, publicKey } = this.enrolment.keys.commandSigning;
    const { exp } = decodeJwt(jwt);
    return {
      node, name, jwt, installation: this.installation,
      jwtExpiresAt: rfc3339((exp ?? 0) * 1000),
      natsUrls: [...(this.config.agentNatsUrls ?? this.config.nats.urls)],
      commandKeys: [{ id, publicKey }],
      ...(this.ca ? { ca: this.ca } : {}),
    };
  }
}
