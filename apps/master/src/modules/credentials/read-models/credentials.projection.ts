import { parseTime } from '#kernel';
import { readModel } from '#projections';
import type { CredentialEvent } from '../domain/credential.events.ts';
import { CredentialRow } from './credential.entity.ts';

const at = (time: string): Date => new Date(parseTime(time));

/** One row a key pair, also of nodes that are gone: revocations outlive them. */
export const credentialsModel = readModel<CredentialRow, CredentialEvent>({
  name: 'credentials',
  entity: CredentialRow,
  handles: ['CredentialIssued', 'CredentialRevoked'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, { event, sequence, context }, id) => {
    const stamp = { sequence, changedAt: at(context.time) };
    if (event.type === 'CredentialIssued') {
      const { node, publicKey, issuedAt, expiresAt } = event.data;
      return { id, node, publicKey, status: 'issued', issuedAt: at(issuedAt), expiresAt: at(expiresAt), revokedAt: null, reason: null, ...stamp };
    }
    return row && { ...row, status: 'revoked', revokedAt: at(event.data.revokedAt), reason: event.data.reason, ...stamp };
  },
});
