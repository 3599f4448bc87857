import { unreachable } from '#kernel';
import type { CredentialEvent } from './credential.events.ts';

/** What became of a key that a rotation has replaced. */
export interface Succession {
  readonly rotation: string;
  /** The new public key. */
  readonly publicKey: string;
  /** RFC 3339. */
  readonly graceUntil: string;
}

/** A key pair that was issued once. */
export interface KnownCredential {
  /** `rotated`: it has a successor and works until its grace is over. */
  readonly status: 'issued' | 'rotated' | 'revoked';
  readonly node: string;
  readonly publicKey: string;
  /** Of the latest JWT. RFC 3339. */
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** The log says that the latest JWT ran out. */
  readonly expired: boolean;
  /** The key whose place it took. */
  readonly replaces?: string;
  /** The agent was asked for a successor, which is not there yet. */
  readonly requested?: { readonly rotation: string; readonly requestedAt: string; readonly graceSeconds: number };
  /** The rotation that made it, until the agent has connected with it. */
  readonly unproven?: string;
  readonly succession?: Succession;
}

export type CredentialState = { readonly status: 'absent' } | KnownCredential;

export const initialCredential: CredentialState = { status: 'absent' };

type Issued = Extract<CredentialEvent, { type: 'CredentialIssued' }>['data'];

const issued = (state: CredentialState, { node, publicKey, issuedAt, expiresAt, rotation, replaces }: Issued): KnownCredential => ({
  ...(state.status === 'absent' ? { status: 'issued', node, publicKey } : state),
  issuedAt, expiresAt, expired: false,
  ...(rotation === undefined ? {} : { unproven: rotation }),
  ...(replaces === undefined ? {} : { replaces }),
});

/** Without what was only waited for. */
const settled = ({ requested: _requested, unproven: _unproven, ...state }: KnownCredential): KnownCredential => state;

const evolveKnown = (state: KnownCredential, event: Exclude<CredentialEvent, { type: 'CredentialIssued' }>): KnownCredential => {
  switch (event.type) {
    case 'CredentialRotationRequested': {
      const { rotation, requestedAt, graceSeconds } = event.data;
      return { ...state, requested: { rotation, requestedAt, graceSeconds } };
    }
    case 'CredentialRotationAbandoned': {
      const { requested: _requested, ...rest } = state;
      return rest;
    }
    case 'CredentialRotated': {
      const { rotation, successor, graceUntil } = event.data;
      return { ...settled(state), status: 'rotated', succession: { rotation, publicKey: successor, graceUntil } };
    }
    case 'CredentialTakenUp': {
      const { unproven: _unproven, ...rest } = state;
      return rest;
    }
    case 'CredentialExpired':
      return { ...state, expired: true };
    case 'CredentialRevoked':
      return { ...settled(state), status: 'revoked' };
    default:
      return unreachable(event, 'credential event');
  }
};

export const evolveCredential = (state: CredentialState, event: CredentialEvent): CredentialState => {
  if (event.type === 'CredentialIssued') return issued(state, event.data);
  return state.status === 'absent' ? state : evolveKnown(state, event);
};
