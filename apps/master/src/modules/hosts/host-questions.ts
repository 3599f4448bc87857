import { Inject, Injectable } from '@nestjs/common';
import type { ClassConstructor } from 'class-transformer';
import type { NatsConnection } from 'nats';
import { BrowseAnswer, type BrowseRequest, DiscoverAnswer, type RpcMethod, parseMessage } from '#contracts';
import type { InstallationKeys } from '#identity';
import { type IdSource, fault, hasCode } from '#kernel';
import { type RpcClient, newRpcClient } from '#messaging';
import { BUS, IDS, KEYS } from '../../platform/index.ts';
import { Credentials } from '../credentials/index.ts';
import { type NodeAnswer, NodeViews } from '../nodes/index.ts';

/** Milliseconds for an answer: agents give up looking after five seconds and say so. Of one that seems to be away little is expected. */
const [patienceMs, shortPatienceMs] = [8_000, 1_500];

const isThere = ({ presence }: NodeAnswer): boolean => presence === 'online';

/** Why a node that was asked did not answer, from what is known of it. */
const explain = (error: unknown, node: NodeAnswer): unknown => {
  const version = node.version === undefined ? '' : ` ${node.version}`;
  if (hasCode(error, 'unknown-method')) return fault('conflict', 'agent-too-old', `The agent${version} of this node does not know this question; upgrade it`);
  if (!hasCode(error, 'node-not-listening') && !hasCode(error, 'node-answers-late')) return error;
  if (!isThere(node)) return fault('unavailable', 'node-offline', `The node is not online${node.presenceSince === undefined ? '' : ` since ${node.presenceSince}`}; start its agent, or see its network`);
  if (hasCode(error, 'node-answers-late')) return error;
  return fault('conflict', 'agent-too-old', `The agent${version} of this node is connected and takes no questions: it is older than this master, or starts at this moment; ask again, or upgrade it`);
};

/** Asks agents about their hosts, at once or not at all: nothing is queued. */
@Injectable()
export class HostQuestions {
  private readonly rpc: RpcClient;

  constructor(
    private readonly nodes: NodeViews, private readonly credentials: Credentials,
    @Inject(BUS) bus: NatsConnection, @Inject(KEYS) keys: InstallationKeys, @Inject(IDS) ids: IdSource,
  ) {
    this.rpc = newRpcClient(bus, keys.commandSigning, ids);
  }

  /** One page of a directory. Throws what `ask` throws. */
  browse(node: string, request: BrowseRequest): Promise<BrowseAnswer> {
    return this.ask(node, 'browse', request, BrowseAnswer);
  }

  /** Databases and the like on the host. Throws what `ask` throws. */
  discover(node: string): Promise<DiscoverAnswer> {
    return this.ask(node, 'discover', {}, DiscoverAnswer);
  }

  /**
   * Throws `node-not-found` (also for one that was removed), `node-not-enrolled`, `node-revoked`, `node-offline`, `node-answers-late`,
   * `agent-too-old`, `reply-not-trusted`, and what the agent refuses with.
   */
  private async ask<T extends object>(id: string, method: RpcMethod, params: object, type: ClassConstructor<T>): Promise<T> {
    const node = await this.nodes.show(id);
    const answer = await this.rpc.call(id, method, params, { keys: await this.keysOf(node), timeoutMs: isThere(node) ? patienceMs : shortPatienceMs })
      .catch((error: unknown) => { throw explain(error, node); });
    const parsed = parseMessage(type, answer);
    if (parsed.ok) return parsed.value;
    throw fault('refused', 'reply-not-trusted', 'The node gave an answer that cannot be read; see whether its version fits');
  }

  private async keysOf(node: NodeAnswer): Promise<string[]> {
    const all = await this.credentials.list(node.id);
    if (all.length === 0) throw fault('conflict', 'node-not-enrolled', 'No agent has been enrolled for this node; make a link and enrol it');
    const good = all.filter(({ status }) => status !== 'revoked').map(({ publicKey }) => publicKey);
    if (good.length === 0) throw fault('conflict', 'node-revoked', 'The credential of this node was revoked; enrol it anew with a link');
    return good;
  }
}
