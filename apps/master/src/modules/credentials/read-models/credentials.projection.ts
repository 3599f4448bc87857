import type { RecordedEvent } from '#event-store';
import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import type { CredentialEvent } from '../domain/credential.events.ts';
import { CredentialRow } from './credential.entity.ts';

type Body = Omit<CredentialRow, 'sequence' | 'changedAt'>;
type Issued = Extract<CredentialEvent, { type: 'CredentialIssued' }>['data'];

const at = (time: string): Date => new Date(parseTime(time));

const issued = (row: CredentialRow | undefined, id: string, { node, publicKey, issuedAt, expiresAt, rotation, replaces }: Issued): Body => {
  const token = { issuedAt: at(issuedAt), expiresAt: at(expiresAt), expired: false };
  if (row) return { ...row, ...token };
  return {
    id, node, publicKey, status: 'issued', firstIssuedAt: at(issuedAt), ...token, rotation: rotation ?? null, rotationRequestedAt: null,
    replaces: replaces ?? null, successor: null, graceUntil: null, revokedAt: null, reason: null,
  };
};

const over = { rotation: null, rotationRequestedAt: null };

const changed = (row: CredentialRow, event: Exclude<CredentialEvent, { type: 'CredentialIssued' }>): Body => {
  switch (event.type) {
    case 'CredentialRotationRequested':
      return { ...row, rotation: event.data.rotation, rotationRequestedAt: at(event.data.requestedAt) };
    case 'CredentialRotationAbandoned':
      return { ...row, ...over };
    case 'CredentialRotated':
      return { ...row, ...over, status: 'rotated', successor: event.data.successor, graceUntil: at(event.data.graceUntil) };
    case 'CredentialTakenUp':
      return { ...row, rotation: null };
    case 'CredentialExpired':
      return { ...row, expired: true };
    case 'CredentialRevoked':
      return { ...row, ...over, status: 'revoked', revokedAt: at(event.data.revokedAt), reason: event.data.reason };
    default:
      return unreachable(event, 'credential event');
  }
};

const next = (row: CredentialRow | undefined, { event }: RecordedEvent<CredentialEvent>, id: string): Body | undefined => {
  if (event.type === 'CredentialIssued') return issued(row, id, event.data);
  return row && changed(row, event);
};

/** One row a key pair, all that a node ever had, also of nodes that are gone: revocations outlive them. */
export const credentialsModel = readModel<CredentialRow, CredentialEvent>({
  name: 'node-credentials',
  entity: CredentialRow,
  handles: ['CredentialIssued', 'CredentialRotationRequested', 'CredentialRotationAbandoned', 'CredentialRotated', 'CredentialTakenUp', 'CredentialExpired', 'CredentialRevoked'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, event, id) => {
    const body = next(row, event, id);
    return body && { ...body, sequence: event.sequence, changedAt: at(event.context.time) };
  },
});
