import { Inject, Injectable } from '@nestjs/common';
import type { Answer, KnownChunksAnswer, KnownChunksAsk, PacksAnswer, PacksAsk } from '#contracts';
import { objectPrefixes } from '#repository';
import { Deciding } from '../deciding.ts';
import { repositoryNodeOf } from '../domain/run.plan.ts';
import { KNOWN_CHUNKS, type KnownChunks, TARGET_ACCESS, type TargetAccess } from '../ports.ts';
import { answerFault, answerNo, answerOk, holderOf, isRefusal } from './answers.ts';
import { grantSeconds } from './grant.handler.ts';

const pageSize = 5000;

/** What an agent may learn of what its repository holds: which chunks, and in which packs to look. */
@Injectable()
export class CatalogHandler {
  constructor(
    private readonly deciding: Deciding,
    @Inject(TARGET_ACCESS) private readonly targets: TargetAccess,
    @Inject(KNOWN_CHUNKS) private readonly knownChunks: KnownChunks,
  ) {}

  /** "Where is the list of chunks that are there already?" A lost cache comes back as one granted object. */
  async chunks(node: string, ask: KnownChunksAsk): Promise<Answer<KnownChunksAnswer>> {
    try {
      const holder = holderOf(await this.deciding.run(ask.holder.run), node, ask.holder);
      if (isRefusal(holder)) return answerNo(ask.id, holder);
      const generation = holder.attempt.generation ?? 0;
      const { target, node: owner } = holder.run.order;
      const object = await this.knownChunks.prepare({ target, node: owner, generation });
      if (object === undefined) return answerOk(ask.id, { generation });
      const objects = await this.targets.open(target, owner);
      return answerOk(ask.id, { generation, object: await objects.grantRead(object, grantSeconds) });
    } catch (error) {
      return answerFault(ask.id, error);
    }
  }

  /** "Which packs may hold chunks of the snapshot that I restore?" */
  async packs(node: string, ask: PacksAsk): Promise<Answer<PacksAnswer>> {
    try {
      const holder = holderOf(await this.deciding.run(ask.holder.run), node, ask.holder);
      if (isRefusal(holder)) return answerNo(ask.id, holder);
      const { target, plan, node: worker } = holder.run.order;
      const { store } = await this.targets.open(target, repositoryNodeOf(plan, worker));
      const names: string[] = [];
      for await (const { name } of store.list(objectPrefixes.packs)) {
        if (ask.after !== undefined && name <= ask.after) continue;
        if (names.length === pageSize) return answerOk(ask.id, { names, more: true });
        names.push(name);
      }
      return answerOk(ask.id, { names, more: false });
    } catch (error) {
      return answerFault(ask.id, error);
    }
  }
}
