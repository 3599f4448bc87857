import { Inject, Injectable } from '@nestjs/common';
import type { Answer, KnownChunksAnswer, KnownChunksAsk, PacksAnswer, PacksAsk } from '#contracts';
import { refuse } from '#kernel';
import { Deciding } from '../deciding.ts';
import { KNOWN_CHUNKS, type KnownChunks, RESTORE_KEYS, type RestoreKeys, TARGET_ACCESS, type TargetAccess } from '../ports.ts';
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
    @Inject(RESTORE_KEYS) private readonly restoreKeys: RestoreKeys,
  ) {}

  /** "Where is the list of chunks that are there already?" A lost cache comes back as one granted object. */
  async chunks(node: string, ask: KnownChunksAsk): Promise<Answer<KnownChunksAnswer>> {
    try {
      const holder = holderOf(await this.deciding.run(ask.holder.run), node, ask.holder);
      if (isRefusal(holder)) return answerNo(ask.id, holder);
      const generation = holder.attempt.generation ?? 0;
      const { target, node: owner, plan, repository } = holder.run.order;
      if (plan.kind !== 'backup') return answerNo(ask.id, refuse('forbidden', 'not-a-backup', 'Only a backup asks for stored chunks'));
      const { created } = await this.deciding.repository(repository);
      if (!created) return answerOk(ask.id, { generation });
      const object = await this.knownChunks.prepare({ claim: ask.holder.claim, target, node: owner, repositoryId: created.repositoryId });
      const objects = await this.targets.open(target, owner);
      return answerOk(ask.id, { generation, object: await objects.grantRead(object, grantSeconds) });
    } catch (error) {
      return answerFault(ask.id, error);
    }
  }

  /** "Which packs hold chunks of the snapshot that I restore?" */
  async packs(node: string, ask: PacksAsk): Promise<Answer<PacksAnswer>> {
    try {
      const holder = holderOf(await this.deciding.run(ask.holder.run), node, ask.holder);
      if (isRefusal(holder)) return answerNo(ask.id, holder);
      const { target, plan } = holder.run.order;
      if (plan.kind !== 'restore') return answerNo(ask.id, refuse('forbidden', 'not-a-restore', 'Only a restore reads packs'));
      const needed = await this.restoreKeys.packs({ claim: ask.holder.claim, target, node: plan.fromNode, snapshotObject: plan.snapshotObject });
      const { after } = ask;
      const rest = after === undefined ? needed : needed.filter((name) => name > after);
      return answerOk(ask.id, { names: rest.slice(0, pageSize), more: rest.length > pageSize });
    } catch (error) {
      return answerFault(ask.id, error);
    }
  }
}
