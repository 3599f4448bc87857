import { Inject, Injectable } from '@nestjs/common';
import type { Answer, Grant, GrantAnswer, GrantAsk, GrantRequest } from '#contracts';
import { type Refusal, type Result, fault, ok } from '#kernel';
import { repositoryFile } from '#repository';
import { repositoryDecider } from '../../repositories/index.ts';
import { Deciding } from '../deciding.ts';
import { repositoryNodeOf } from '../domain/run.plan.ts';
import { TARGET_ACCESS, type TargetAccess, type TargetObjects } from '../ports.ts';
import { answerFault, answerNo, answerOk, holderOf, isRefusal, type LiveHolder } from './answers.ts';
import { grantFault } from './grant.policy.ts';

/** Seconds for which a grant is good. Whatever is fenced can do no more than use the grants it has, for this long. */
export const grantSeconds = 900;

/** "Let me write (or read) these objects": one grant an object, only for the live claim, only inside the repository's layout. */
@Injectable()
export class GrantHandler {
  constructor(private readonly deciding: Deciding, @Inject(TARGET_ACCESS) private readonly targets: TargetAccess) {}

  async answer(node: string, ask: GrantAsk): Promise<Answer<GrantAnswer>> {
    try {
      const holder = holderOf(await this.deciding.run(ask.holder.run), node, ask.holder);
      if (isRefusal(holder)) return answerNo(ask.id, holder);
      const reads = ask.objects.some(({ access }) => access === 'read');
      const condemned = reads ? (await this.deciding.repository(holder.run.order.repository)).pruning?.condemned : undefined;
      for (const object of ask.objects) {
        const refusal = grantFault(holder, object, condemned);
        if (refusal) return answerNo(ask.id, refusal);
      }
      const started = await this.startRepository(ask.holder.run, holder, ask.objects);
      if (!started.ok) return answerNo(ask.id, started.error);
      const { order } = holder.run;
      const objects = await this.targets.open(order.target, repositoryNodeOf(order.plan, order.node));
      return answerOk(ask.id, { grants: await Promise.all(ask.objects.map((object) => this.grant(objects, object))) });
    } catch (error) {
      return answerFault(ask.id, error);
    }
  }

  /** `repository.json` is granted once, and that is a fact before the grant exists. */
  private async startRepository(run: string, { run: state, attempt }: LiveHolder, objects: readonly GrantRequest[]): Promise<Result<unknown, Refusal>> {
    const description = objects.find((object) => object.name === repositoryFile && object.access === 'write');
    if (!description) return ok(undefined);
    const sha256 = description.sha256 ?? '';
    return this.deciding.execute(`node:${state.order.node}`, (unit) =>
      unit.decide(repositoryDecider, state.order.repository, { type: 'StartRepository', run, attempt: attempt.number, sha256 }));
  }

  private grant(objects: TargetObjects, { access, name, size, sha256 }: GrantRequest): Promise<Grant> {
    if (access === 'read') return objects.grantRead(name, grantSeconds);
    if (size === undefined || sha256 === undefined) throw fault('internal', 'grant-unchecked', 'A write grant needs a size and a SHA-256');
    return objects.grantWrite({ name, size, sha256 }, grantSeconds);
  }
}
