import { Inject, Injectable } from '@nestjs/common';
import type { Answer, ClaimAsk, ClaimGranted } from '#contracts';
import { type IdSource, type Refusal, type Result, err, isAppError, ok, refuse } from '#kernel';
import { IDS } from '../../../platform/index.ts';
import { repositoryDecider } from '../../repositories/index.ts';
import { decideRun } from '../commands/decide-run.ts';
import { Deciding } from '../deciding.ts';
import { runDecider } from '../domain/run.decide.ts';
import { isActive, lastAttempt } from '../domain/run.state.ts';
import { NODE_DIRECTORY, type NodeDirectory } from '../ports.ts';
import { answerFault, answerNo, answerOk } from './answers.ts';
import { type HeldClaim, isClaimed } from './held-claim.ts';
import { SpecificationBuilder } from './specification.builder.ts';

/** "May I work on this attempt?" One live claim a run; repeated by the same instance it gets the same answer. */
@Injectable()
export class ClaimHandler {
  constructor(
    private readonly deciding: Deciding,
    private readonly specifications: SpecificationBuilder,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
    @Inject(IDS) private readonly ids: IdSource,
  ) {}

  /** The whole answer for an agent: claim, snapshot id, specification with what is sealed to it. */
  async answer(node: string, ask: ClaimAsk): Promise<Answer<ClaimGranted>> {
    try {
      // Two live instances of one node are a cloned machine or a stolen credential: the one that was there first works on.
      const { instance, disabled, gate } = (await this.nodes.find(node)) ?? {};
      if (instance !== undefined && instance !== ask.instance) {
        return answerNo(ask.id, refuse('unavailable', 'other-instance', 'Another agent speaks as this node; end one of them'));
      }
      if (disabled) return answerNo(ask.id, refuse('unavailable', 'node-disabled', 'This node is out of service; nothing begins until it is enabled'));
      if (gate) return answerNo(ask.id, gate);
      const claimed = await this.claim(node, ask);
      if (!claimed.ok) return answerNo(ask.id, claimed.error);
      const { run, attempt } = claimed.value;
      const specification = await this.specifications.build(node, claimed.value);
      const snapshot = attempt.snapshot === undefined ? {} : { snapshot: attempt.snapshot };
      return answerOk(ask.id, { claim: attempt.claim, specification, timeoutMs: run.order.timeoutSeconds * 1000, ...snapshot });
    } catch (error) {
      return isAppError(error) && error.code === 'run-not-found' ? answerNo(ask.id, { ...error, code: 'claim-stale' }) : answerFault(ask.id, error);
    }
  }

  /** Claims without building a specification: the masters' own executor needs none. Refused: `claim-stale`. */
  async claim(node: string, { run: id, attempt, instance }: Pick<ClaimAsk, 'run' | 'attempt' | 'instance'>): Promise<Result<HeldClaim, Refusal>> {
    const [claim, snapshot] = [this.ids.next('claim'), this.ids.next('snap')];
    const decided = await this.deciding.execute(`node:${node}`, async (unit) => {
      const { state: before } = await unit.load(runDecider, id);
      if (before.status === 'absent') return err(refuse('conflict', 'claim-stale', 'There is no such run; drop the command'));
      const { state: repository } = await unit.load(repositoryDecider, before.order.repository);
      const { generation } = repository;
      const result = await decideRun(unit, id, { type: 'ClaimRun', node, attempt, instance, claim, snapshot, now: this.deciding.now(), generation });
      if (!result.ok) return result;
      const { state } = await unit.load(runDecider, id);
      const held = isActive(state) ? lastAttempt(state) : undefined;
      if (!isActive(state) || !isClaimed(held)) return err(refuse('conflict', 'claim-stale', 'The attempt is over; drop the command'));
      return ok({ run: state, attempt: held, repository });
    });
    return decided.ok ? ok(decided.value.value) : decided;
  }
}
