import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type Answer, SelfAsk, type SelfAnswer } from '#contracts';
import type { InstallationKeys } from '#identity';
import { OnAsk, RequestContext } from '#messaging';
import { KEYS } from '../../platform/index.ts';
import { version } from '../../platform/version.ts';
import { NodeLookup } from '../nodes/index.ts';

/** Tells an agent who it is to the masters: what was set for its node after it enrolled. */
@Controller()
export class SelfSubscriber {
  constructor(private readonly nodes: NodeLookup, @Inject(KEYS) private readonly keys: InstallationKeys) {}

  @OnAsk('self')
  async self(@Payload() { id }: SelfAsk, @Ctx() { node }: RequestContext): Promise<Answer<SelfAnswer>> {
    const known = await this.nodes.find(node);
    if (!known) return { id, status: 'refused', code: 'node-not-found', detail: 'The masters know no such node; it was removed', retryable: false };
    const { name, slots, drained } = known;
    const { id: keyId, publicKey } = this.keys.commandSigning;
    return { id, status: 'ok', value: { node, name, slots, drained, masterVersion: version, commandKeys: [{ id: keyId, publicKey }] } };
  }
}
