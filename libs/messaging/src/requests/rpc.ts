import type { NatsConnection } from 'nats';
import { type Answer, SignedMessage, decodeMessage, encodeMessage, subjects } from '#contracts';
import { type PinnedKey, type SigningKey, openMessage, signMessage } from '#identity';
import { AppError, type IdSource, fault, refuse } from '#kernel';
import { transports } from '../handlers.decorator.ts';
import { RequestServer, type RequestServerOptions } from './request.server.ts';

/** The inside of a signed request of a master to a node. */
interface RpcRequest {
  readonly id: string;
  readonly method: string;
  readonly params: unknown;
}

const isRequest = (value: unknown): value is RpcRequest =>
  typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string' && 'method' in value && 'params' in value;

/** Answers requests of masters to this node (`OnRpc`); those not signed by a pinned key for this node and method are refused. */
export const rpcServer = (
  choice: Pick<RequestServerOptions, 'connection' | 'clock' | 'log' | 'concurrency' | 'graceMs'>, node: string, pinned: () => readonly PinnedKey[],
): RequestServer => new RequestServer({
  concurrency: 8,
  ...choice,
  subject: subjects.rpc(node, '*'),
  transport: transports.rpc,
  decode: ({ method, data }) => {
    const request = openMessage(pinned(), 'rpc', node, decodeMessage(SignedMessage, data));
    if (!isRequest(request) || request.method !== method) throw fault('validation', 'invalid-message', 'The signed request is for another method');
    return { id: request.id, payload: request.params };
  },
  succeed: (_request, id, result) => encodeMessage({ id, status: 'ok', value: result ?? null } satisfies Answer<unknown>),
  fail: (_request, id, failure) => encodeMessage({ id, status: 'refused', ...failure } satisfies Answer<unknown>),
});

/** Asks nodes on behalf of a master. */
export interface RpcClient {
  /**
   * The node's answer. Throws `node-unreachable` (retryable: offline, or no answer within `timeoutMs`), or what the node
   * refused with, under the node's code. Answers are those of the node itself: nobody else may publish on its behalf.
   */
  call(node: string, method: string, params: unknown, timeoutMs?: number): Promise<unknown>;
}

const parse = (text: string): Partial<Record<string, unknown>> => {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Record<string, unknown>>;
  } catch {
    return {};
  }
};

/** A client whose requests are signed with the installation's command key. */
export const newRpcClient = (connection: NatsConnection, key: SigningKey, ids: IdSource): RpcClient => ({
  call: async (node, method, params, timeoutMs = 10_000) => {
    const request: RpcRequest = { id: ids.next('cmd'), method, params };
    const reply = await connection
      .request(subjects.rpc(node, method), encodeMessage(signMessage(key, 'rpc', node, request)), { timeout: timeoutMs })
      .catch((cause: unknown) => { throw fault('unavailable', 'node-unreachable', 'The node does not answer; see whether it is online', { cause }); });
    const answer = parse(reply.string());
    if (answer['id'] === request.id && answer['status'] === 'ok') return answer['value'];
    if (answer['status'] !== 'refused') throw fault('unavailable', 'node-unreachable', 'The node gave an answer that cannot be read; see whether its version fits');
    throw new AppError(refuse('refused', String(answer['code']).slice(0, 64), String(answer['detail']).slice(0, 1024)), { retryable: answer['retryable'] === true });
  },
});
