import type { Decider } from '#event-store';
import { derivedId, err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { CredentialEvent } from './credential.events.ts';

/** A key pair that a node connects with. */
export type CredentialState =
  | { readonly status: 'absent' }
  | { readonly status: 'issued' | 'revoked'; readonly node: string; readonly publicKey: string; readonly expiresAt: string };

export type CredentialCommand =
  | { readonly type: 'IssueCredential'; readonly node: string; readonly publicKey: string; readonly now: string; readonly expiresAt: string }
  | { readonly type: 'RevokeCredential'; readonly now: string; readonly reason: string };

const evolve = (state: CredentialState, event: CredentialEvent): CredentialState => {
  switch (event.type) {
    case 'CredentialIssued':
      return { status: 'issued', node: event.data.node, publicKey: event.data.publicKey, expiresAt: event.data.expiresAt };
    case 'CredentialRevoked':
      return state.status === 'absent' ? state : { ...state, status: 'revoked' };
    default:
      return unreachable(event, 'credential event');
  }
};

const issue = (command: Extract<CredentialCommand, { type: 'IssueCredential' }>, state: CredentialState): Result<readonly CredentialEvent[], Refusal> => {
  const { node, publicKey, now, expiresAt } = command;
  if (state.status === 'revoked') {
    return err(refuse('refused', 'key-revoked', 'This key was revoked and never comes back; make a new key pair on the node and enrol again'));
  }
  if (state.status === 'issued' && state.node !== node) {
    return err(refuse('refused', 'key-of-another-node', 'This key belongs to another node; make a new key pair on the node and enrol again'));
  }
  if (state.status === 'issued' && state.expiresAt === expiresAt) return ok([]);
  return ok([{ type: 'CredentialIssued', data: { node, publicKey, issuedAt: now, expiresAt } }]);
};

/** Decides about one key pair; its id follows from the public key, so one key is one node's for ever. */
export const credentialDecider: Decider<CredentialState, CredentialCommand, CredentialEvent> = {
  aggregate: 'credential',
  initialState: { status: 'absent' },
  evolve,
  decide: (command, state) => {
    switch (command.type) {
      case 'IssueCredential':
        return issue(command, state);
      case 'RevokeCredential':
        if (state.status === 'absent') return err(refuse('not-found', 'credential-not-found', 'The node has no credential; enrol it first'));
        if (state.status === 'revoked') return ok([]);
        return ok([{
          type: 'CredentialRevoked',
          data: { node: state.node, publicKey: state.publicKey, revokedAt: command.now, reason: command.reason },
        }]);
      default:
        return unreachable(command, 'credential command');
    }
  },
};

/** Id of the aggregate of a public key. */
export const credentialId = (publicKey: string): string => derivedId('cred', publicKey);
