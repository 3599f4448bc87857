import type { NatsConnection } from 'nats';
import { fault } from '#kernel';
import type { ClaimsResolver } from './claims-reconciler.ts';

interface UpdateAnswer {
  readonly data?: { readonly code?: number; readonly message?: string };
  readonly error?: { readonly code?: number; readonly description?: string };
}

const timeout = 5000;
const silent = (cause: unknown) =>
  fault('unavailable', 'claims-unavailable', 'The NATS servers do not answer about accounts; check that they run in operator mode with a full resolver', { cause });

/** The resolver behind a connection of a SYSTEM user. */
export const natsClaimsResolver = (connection: Pick<NatsConnection, 'request'>): ClaimsResolver => ({
  lookup: async (account) => {
    const message = await connection.request(`$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`, undefined, { timeout }).catch((cause: unknown) => { throw silent(cause); });
    return message.string() || undefined;
  },
  push: async (token) => {
    const message = await connection.request('$SYS.REQ.CLAIMS.UPDATE', token, { timeout }).catch((cause: unknown) => { throw silent(cause); });
    const answer = message.json<UpdateAnswer>();
    if (answer.data?.code === 200) return;
    throw fault('unavailable', 'claims-refused', 'The NATS servers refused the account claims; the operator key of nats.conf must be the one of the key folder', {
      internal: JSON.stringify(answer.error ?? answer.data), retryable: false,
    });
  },
});
