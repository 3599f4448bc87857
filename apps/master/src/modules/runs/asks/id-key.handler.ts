import { Inject, Injectable } from '@nestjs/common';
import type { Answer, IdKeyAnswer, IdKeyAsk } from '#contracts';
import { fault, refuse } from '#kernel';
import { Deciding } from '../deciding.ts';
import { ID_KEYS, type IdKeys, NODE_DIRECTORY, type NodeDirectory } from '../ports.ts';
import { answerFault, answerNo, answerOk, holderOf, isRefusal } from './answers.ts';

/** "Which id key has my repository?" Only the live claim of a backup gets it, and only the repository of its own node. */
@Injectable()
export class IdKeyHandler {
  constructor(
    private readonly deciding: Deciding,
    @Inject(ID_KEYS) private readonly idKeys: IdKeys,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
  ) {}

  async answer(node: string, ask: IdKeyAsk): Promise<Answer<IdKeyAnswer>> {
    try {
      const holder = holderOf(await this.deciding.run(ask.holder.run), node, ask.holder);
      if (isRefusal(holder)) return answerNo(ask.id, holder);
      const { plan, target, repository } = holder.run.order;
      if (plan.kind !== 'backup') return answerNo(ask.id, refuse('forbidden', 'not-a-backup', 'Only a backup needs the id key'));
      const recipient = (await this.nodes.find(node))?.recipient;
      if (recipient === undefined) throw fault('refused', 'node-without-recipient', 'The node has told no age recipient; enrol its agent again');
      const sealed = await this.idKeys.seal({ target, node }, await this.deciding.repository(repository), recipient);
      return answerOk(ask.id, sealed === undefined ? {} : { sealed });
    } catch (error) {
      return answerFault(ask.id, error);
    }
  }
}
