import { Body, Controller, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiExtraModels, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Clock, parseTime } from '#kernel';
import { CLOCK, CONFIG, Caller, type CommandContext, Context, type MasterConfig, type Principal, RateWindow, publicUrlOf } from '../../../platform/index.ts';
import { batchScript } from '../batch-script.ts';
import { EnrolmentBatches } from '../batches.service.ts';
import { installCommands } from '../install-commands.ts';
import { BatchAnswer, BatchRevokedAnswer, IssueBatchRequest } from './batch.dto.ts';
import { installOptionsOf, linkLives } from './install-options.dto.ts';

/** Batches of one account in a minute. */
const mostBatches = 10;

/** Nodes by the dozen. */
@ApiTags('enrolment')
@Controller('api/v1')
export class BatchesHttp {
  private readonly window: RateWindow;

  constructor(
    private readonly batches: EnrolmentBatches, @Inject(CONFIG) private readonly config: MasterConfig, @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.window = new RateWindow(clock, mostBatches, 'This account makes too many batches; wait a minute and try again');
  }

  /**
   * Adds up to 50 nodes with a one-time link each, all or none: `batch-refused` names every line in the way. The answer is the only place
   * where the tokens are ever shown; with `Accept: text/x-shellscript` it is the script alone, to be saved.
   */
  @Post('enrolment-batches')
  @ApiExtraModels(BatchAnswer)
  @ApiCreatedResponse({
    description: 'The batch, or its script',
    content: { 'application/json': { schema: { $ref: getSchemaPath(BatchAnswer) } }, 'text/x-shellscript': { schema: { type: 'string' } } },
  })
  async issue(
    @Context() context: CommandContext, @Caller() caller: Principal, @Body() body: IssueBatchRequest, @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BatchAnswer | string> {
    this.window.take(caller.actor);
    const answer = await this.answerOf(context, body);
    response.set('cache-control', 'no-store');
    if (accept?.split(',')[0]?.trim() !== 'text/x-shellscript') return answer;
    response.set({ 'content-type': 'text/x-shellscript; charset=utf-8', 'content-disposition': `attachment; filename="${answer.id}.sh"` });
    return answer.script;
  }

  /** Takes one link back that nobody has used; `link-used` when an agent was faster. Its node stays. */
  @Post('enrolment-links/:id\\:revoke') @HttpCode(204)
  revoke(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.batches.revoke(context, id);
  }

  /** Takes all links of a batch back that nobody has used. Its nodes stay. */
  @Post('enrolment-batches/:id\\:revoke') @HttpCode(200)
  revokeAll(@Context() context: CommandContext, @Param('id') id: string): Promise<BatchRevokedAnswer> {
    return this.batches.revokeAll(context, id);
  }

  private async answerOf(context: CommandContext, body: IssueBatchRequest): Promise<BatchAnswer> {
    const install = installOptionsOf(body);
    const master = install.master ?? publicUrlOf(this.config);
    const { id, expiresAt, nodes } = await this.batches.issue(context, body.names, linkLives[body.life ?? '15m'], install);
    return {
      id, expiresAt, remainingSeconds: Math.max(0, Math.floor((parseTime(expiresAt) - this.clock.now()) / 1000)),
      links: nodes.map((one) => ({ ...one, ...installCommands(master, one.token, install) })),
      script: batchScript({ master, nodes, expiresAt, install }),
    };
  }
}
