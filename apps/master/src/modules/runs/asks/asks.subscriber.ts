import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  type Answer, ClaimAsk, type ClaimGranted, type GrantAnswer, GrantAsk, type IdKeyAnswer, IdKeyAsk, type KnownChunksAnswer, KnownChunksAsk, type PacksAnswer, PacksAsk,
  type SyncAnswer, SyncAsk,
} from '#contracts';
import { OnAsk, RequestContext } from '#messaging';
import { CatalogHandler } from './catalog.handler.ts';
import { ClaimHandler } from './claim.handler.ts';
import { GrantHandler } from './grant.handler.ts';
import { IdKeyHandler } from './id-key.handler.ts';
import { SyncHandler } from './sync.handler.ts';

/** The questions of agents about their work. */
@Controller()
export class RunAsksSubscriber {
  constructor(
    private readonly claims: ClaimHandler,
    private readonly syncs: SyncHandler,
    private readonly grants: GrantHandler,
    private readonly catalog: CatalogHandler,
    private readonly idKeys: IdKeyHandler,
  ) {}

  @OnAsk('claim')
  claim(@Payload() ask: ClaimAsk, @Ctx() context: RequestContext): Promise<Answer<ClaimGranted>> {
    return this.claims.answer(context.node, ask);
  }

  @OnAsk('sync')
  sync(@Payload() ask: SyncAsk, @Ctx() context: RequestContext): Promise<Answer<SyncAnswer>> {
    return this.syncs.answer(context.node, ask);
  }

  @OnAsk('grant')
  grant(@Payload() ask: GrantAsk, @Ctx() context: RequestContext): Promise<Answer<GrantAnswer>> {
    return this.grants.answer(context.node, ask);
  }

  @OnAsk('known-chunks')
  knownChunks(@Payload() ask: KnownChunksAsk, @Ctx() context: RequestContext): Promise<Answer<KnownChunksAnswer>> {
    return this.catalog.chunks(context.node, ask);
  }

  @OnAsk('id-key')
  idKey(@Payload() ask: IdKeyAsk, @Ctx() context: RequestContext): Promise<Answer<IdKeyAnswer>> {
    return this.idKeys.answer(context.node, ask);
  }

  @OnAsk('packs')
  packs(@Payload() ask: PacksAsk, @Ctx() context: RequestContext): Promise<Answer<PacksAnswer>> {
    return this.catalog.packs(context.node, ask);
  }
}
