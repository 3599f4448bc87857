import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AddressLimit, type CommandContext, Context, Public } from '../../../platform/index.ts';
import { Challenges } from '../renewal/challenges.ts';
import { Renewals } from '../renewal/renewals.service.ts';
import { ChallengeAnswer, ChallengeRequest, RenewAnswer, RenewRequest } from './credential.dto.ts';

/** How a host comes back whose token ran out while it was away. Called by agents; their key is the proof, so there is no log-in. */
@ApiTags('enrolment')
@Controller('api/v1/agent')
@Public() @UseGuards(AddressLimit)
export class RenewalHttp {
  constructor(private readonly renewals: Renewals, private readonly challenges: Challenges) {}

  /** A word to sign with the node's key within a minute. */
  @Post('credential\\:challenge') @HttpCode(200)
  challenge(@Body() { node, publicKey }: ChallengeRequest): ChallengeAnswer {
    return this.challenges.make(node, publicKey);
  }

  /** A new token for the signed word; refused when the key was revoked or replaced, or the node removed. */
  @Post('credential\\:renew') @HttpCode(200)
  async renew(@Context() context: CommandContext, @Body() body: RenewRequest): Promise<RenewAnswer> {
    return { jwt: await this.renewals.answer(context, body) };
  }
}
