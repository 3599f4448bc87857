import { ErrorCode, type Msg, type NatsConnection, NatsError } from 'nats';
import { type Answer, type RpcMethod, RpcReply, SignedMessage, decodeMessage, encodeMessage, subjects } from '#contracts';
import {
  type Nkey, type PinnedKey, type SigningKey, isAgeRecipient, newAgeKey, openMessage, openReply, signMessage, signReply,
} from '#identity';
import { AppError, type IdSource, fault, isAppError, refuse } from '#kernel';
import { transports } from '../handlers.decorator.ts';
import { type IncomingRequest, RequestServer, type RequestServerOptions } from './request.server.ts';

/** The inside of a signed request of a master to a node. */
interface RpcRequest {
  readonly id: string;
  readonly method: string;
  readonly params: unknown;
  /** age recipient of the master that asks. */
  readonly sealTo: string;
}

const isRequest = (value: unknown): value is RpcRequest =>
  typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string' && 'method' in value && 'params' in value
  && 'sealTo' in value && typeof value.sealTo === 'string' && isAgeRecipient(value.sealTo);

/** Whose requests are answered, and whom the node says it is. */
export interface RpcServerKeys {
  readonly node: string;
  /** Keys of masters, now. */
  readonly pinned: () => readonly PinnedKey[];
  /** The node's own key, now. */
  readonly own: () => Nkey;
}

/**
 * Answers requests of masters to this node (`OnRpc`); those not signed by a pinned key for this node and method are refused. What is
 * answered can be read by the asking master alone, so that a request which somebody recorded and sends again is harmless.
 */
export const rpcServer = (choice: Pick<RequestServerOptions, 'connection' | 'clock' | 'log' | 'concurrency' | 'graceMs'>, { node, pinned, own }: RpcServerKeys): RequestServer => {
  const askers = new WeakMap<IncomingRequest, string>();
  const reply = async (request: IncomingRequest, answer: Answer<unknown>): Promise<Uint8Array> =>
    encodeMessage(await signReply(own(), node, answer, askers.get(request)));
  return new RequestServer({
    concurrency: 8,
    ...choice,
    subject: subjects.rpc(node, '*'),
    transport: transports.rpc,
    decode: (incoming) => {
      const request = openMessage(pinned(), 'rpc', node, decodeMessage(SignedMessage, incoming.data));
      if (!isRequest(request) || request.method !== incoming.method) throw fault('validation', 'invalid-message', 'The signed request is for another method');
      askers.set(incoming, request.sealTo);
      return { id: request.id, payload: request.params };
    },
    succeed: (request, id, result) => reply(request, { id, status: 'ok', value: result ?? null }),
    fail: (request, id, failure) => reply(request, { id, status: 'refused', ...failure }),
  });
};

/** How a node is asked. */
export interface RpcCall {
  /** Public NATS keys of the node, `U...`; the answer must be signed by one of them. */
  readonly keys: readonly string[];
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

/** Asks nodes on behalf of a master. */
export interface RpcClient {
  /**
   * The node's answer, which only its key can have signed. Throws `node-not-listening` (nobody takes the question), `node-answers-late`,
   * `reply-not-trusted`, or what the node refused with, under the node's code; retryable where asking again may help.
   */
  call(node: string, method: RpcMethod, params: object, how: RpcCall): Promise<unknown>;
}

const unanswered = (cause: unknown) => cause instanceof NatsError && (cause.code as ErrorCode) === ErrorCode.NoResponders
  ? fault('unavailable', 'node-not-listening', 'No agent of this node listens on the bus; see whether it is online', { cause })
  : fault('unavailable', 'node-answers-late', 'The node did not answer in time; ask again, or see what keeps its agent', { cause });

const unreadable = (cause?: unknown) => fault('refused', 'reply-not-trusted', 'The node gave an answer that cannot be read; see whether its version fits', { cause });

const contentOf = async (reply: Msg, node: string, keys: readonly string[], identity: string): Promise<Partial<Record<string, unknown>>> => {
  try {
    return ((await openReply(decodeMessage(RpcReply, reply.data), node, { trusted: keys, identity })) ?? {});
  } catch (error) {
    throw isAppError(error) && error.code === 'reply-not-trusted' ? error : unreadable(error);
  }
};

const refusalOf = (answer: Partial<Record<string, unknown>>): AppError => {
  const retryable = answer['retryable'] === true;
  return new AppError(refuse(retryable ? 'unavailable' : 'refused', String(answer['code']).slice(0, 64), String(answer['detail']).slice(0, 1024)), { retryable });
};

/** A client whose requests are signed with the installation's command key. What it asked is readable as long as this process lives. */
export const newRpcClient = (connection: NatsConnection, key: SigningKey, ids: IdSource): RpcClient => {
  let own: ReturnType<typeof newAgeKey> | undefined;
  return {
    call: async (node, method, params, { keys, timeoutMs = 10_000 }) => {
      const { recipient, identity } = await (own ??= newAgeKey());
      const request: RpcRequest = { id: ids.next('cmd'), method, params, sealTo: recipient };
      const reply = await connection
        .request(subjects.rpc(node, method), encodeMessage(signMessage(key, 'rpc', node, request)), { timeout: timeoutMs })
        .catch((cause: unknown) => { throw unanswered(cause); });
      const answer = await contentOf(reply, node, keys, identity);
      if (answer['status'] === 'refused') throw refusalOf(answer);
      if (answer['id'] !== request.id || answer['status'] !== 'ok') throw unreadable();
      return answer['value'];
    },
  };
};
