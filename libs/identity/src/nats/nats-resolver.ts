import { type Msg, type NatsConnection, RequestStrategy } from 'nats';
import { fault } from '#kernel';
import type { ClaimsResolver } from './claims-reconciler.ts';

interface UpdateAnswer {
  readonly data?: { readonly code?: number; readonly message?: string };
  readonly error?: { readonly code?: number; readonly description?: string };
}

const silent = (cause?: unknown) =>
  fault('unavailable', 'claims-unavailable', 'The NATS servers do not answer about accounts; check that they run in operator mode with a full resolver', { cause });

/** Every server of a cluster answers for itself: waits at most 3 s for the first, then until 100 ms pass without another. */
const askAll = async (connection: Pick<NatsConnection, 'requestMany'>, subject: string, content?: string): Promise<readonly Msg[]> => {
  const answers: Msg[] = [];
  try {
    const replies = await connection.requestMany(subject, content, { strategy: RequestStrategy.JitterTimer, maxWait: 3000, jitter: 100 });
    for await (const reply of replies) answers.push(reply);
  } catch (cause) {
    throw silent(cause);
  }
  if (answers.length === 0) throw silent();
  return answers;
};

const refusalOf = (reply: Msg): UpdateAnswer | undefined => {
  const answer = reply.json<UpdateAnswer>();
  return answer.data?.code === 200 ? undefined : answer;
};

/** The resolver behind a connection of a SYSTEM user. */
export const natsClaimsResolver = (connection: Pick<NatsConnection, 'requestMany'>): ClaimsResolver => ({
  lookup: async (account) => (await askAll(connection, `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`)).map((reply) => reply.string()),
  push: async (token) => {
    const refusals = (await askAll(connection, '$SYS.REQ.CLAIMS.UPDATE', token)).map(refusalOf).filter((refusal) => refusal !== undefined);
    const [first] = refusals;
    if (!first) return;
    throw fault('unavailable', 'claims-refused', 'The NATS servers refused the account claims; the operator key of nats.conf must be the one of the key folder', {
      internal: JSON.stringify(first.error ?? first.data), retryable: false,
    });
  },
});
