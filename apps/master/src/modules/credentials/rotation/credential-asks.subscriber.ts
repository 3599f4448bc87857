import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type Answer, RenewAsk, RotateAsk, RotatedAsk, type TokenAnswer } from '#contracts';
import { isProven } from '#identity';
import { type Clock, type IdSource, type Refusal, type Result, err, ok, refuse } from '#kernel';
import { OnAsk, RequestContext } from '#messaging';
import { CLOCK, IDS, systemContext } from '../../../platform/index.ts';
import { Renewals } from '../renewal/renewals.service.ts';
import { Rotations } from './rotations.service.ts';

const notProven = refuse('forbidden', 'proof-refused', 'The question was not signed with the key that it is about');

const answerOf = <T>(id: string, result: Result<T, Refusal>): Answer<T> => {
  if (result.ok) return { id, status: 'ok', value: result.value };
  const { code, detail, kind } = result.error;
  return { id, status: 'refused', code, detail, retryable: kind === 'conflict' || kind === 'unavailable' };
};

const tokenOf = (result: Result<string, Refusal>): Result<TokenAnswer, Refusal> => (result.ok ? ok({ jwt: result.value }) : result);

/** The questions of agents about their own keys. The subject says who asks; the proofs say that he has the keys. */
@Controller()
export class CredentialAsksSubscriber {
  constructor(
    private readonly rotations: Rotations,
    private readonly renewals: Renewals,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: IdSource,
  ) {}

  @OnAsk('rotate')
  async rotate(@Payload() { id, rotation, current, publicKey, proof, newProof }: RotateAsk, @Ctx() { node }: RequestContext): Promise<Answer<TokenAnswer>> {
    const proven = [[current, proof], [publicKey, newProof]].every(([key = '', one = '']) => isProven(key, one, 'rotate', rotation, node, publicKey));
    return answerOf(id, proven ? tokenOf(await this.rotations.answer(node, { rotation, current, publicKey })) : err(notProven));
  }

  @OnAsk('rotated')
  async rotated(@Payload() { id, rotation, publicKey, proof }: RotatedAsk, @Ctx() { node }: RequestContext): Promise<Answer<Record<string, never>>> {
    if (!isProven(publicKey, proof, 'rotated', rotation, node)) return answerOf(id, err(notProven));
    const decided = await this.rotations.takenUp(node, rotation, publicKey);
    return answerOf(id, decided.ok ? ok({}) : decided);
  }

  @OnAsk('renew')
  async renew(@Payload() { id, publicKey, proof }: RenewAsk, @Ctx() { node }: RequestContext): Promise<Answer<TokenAnswer>> {
    if (!isProven(publicKey, proof, 'renew', node, id)) return answerOf(id, err(notProven));
    const context = systemContext(this.clock, 'credentials', this.ids.next('cmd'));
    return answerOf(id, tokenOf(await this.renewals.renew(context, node, publicKey)));
  }
}
