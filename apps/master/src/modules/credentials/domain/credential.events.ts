import type { DomainEvent } from '#event-store';

/**
 * A JWT was signed for this public key; again when it was renewed. The JWT itself is made again whenever it is asked for and is stored
 * nowhere.
 */
export type CredentialIssued = DomainEvent<'CredentialIssued', {
  readonly node: string;
  /** NATS user key, `U...`. */
  readonly publicKey: string;
  /** RFC 3339. */
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** The rotation that it was made in, and the key whose place it takes; absent for a key that came with an enrolment. */
  readonly rotation?: string;
  readonly replaces?: string;
}>;
/** The agent is to make a new key pair in place of this one; nothing has changed yet. */
export type CredentialRotationRequested = DomainEvent<'CredentialRotationRequested', {
  readonly node: string;
  readonly publicKey: string;
  readonly rotation: string;
  readonly requestedAt: string;
  /** Seconds that this key goes on working once it has a successor. */
  readonly graceSeconds: number;
}>;
/** The agent has made a new key pair. This key goes on working until `graceUntil` and is never renewed. */
export type CredentialRotated = DomainEvent<'CredentialRotated', {
  readonly node: string;
  readonly publicKey: string;
  readonly rotation: string;
  readonly successor: string;
  readonly rotatedAt: string;
  readonly graceUntil: string;
}>;
/**
 * Nobody waits for the agent's answer any more: `cancelled` by somebody, or `not-answered` in time. This key stays as it was, and what the agent
 * answers later is refused.
 */
export type CredentialRotationAbandoned = DomainEvent<'CredentialRotationAbandoned', {
  readonly node: string;
  readonly publicKey: string;
  readonly rotation: string;
  readonly abandonedAt: string;
  readonly code: 'cancelled' | 'not-answered';
}>;
/** The agent has connected with this key, which it made in a rotation: the rotation is over. */
export type CredentialTakenUp = DomainEvent<'CredentialTakenUp', { readonly node: string; readonly publicKey: string; readonly rotation: string }>;
/** The JWT ran out before it was renewed. A host that was away renews it when it is back. */
export type CredentialExpired = DomainEvent<'CredentialExpired', { readonly node: string; readonly publicKey: string; readonly expiredAt: string }>;
/** From `revokedAt` on no JWT of this key that was issued before it is accepted; live connections are cut. */
export type CredentialRevoked = DomainEvent<'CredentialRevoked', { readonly node: string; readonly publicKey: string; readonly revokedAt: string; readonly reason: string }>;

export type CredentialEvent =
  | CredentialIssued | CredentialRotationRequested | CredentialRotationAbandoned | CredentialRotated | CredentialTakenUp | CredentialExpired | CredentialRevoked;
