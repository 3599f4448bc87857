import type { DomainEvent } from '#event-store';

/** A JWT was signed for this public key. The JWT itself is made again whenever it is asked for and is stored nowhere. */
export type CredentialIssued = DomainEvent<'CredentialIssued', {
  readonly node: string;
  /** NATS user key, `U...`. */
  readonly publicKey: string;
  /** RFC 3339. */
  readonly issuedAt: string;
  readonly expiresAt: string;
}>;
/** From `revokedAt` on no JWT of this key that was issued before it is accepted; live connections are cut. */
export type CredentialRevoked = DomainEvent<'CredentialRevoked', { readonly node: string; readonly publicKey: string; readonly revokedAt: string; readonly reason: string }>;

export type CredentialEvent = CredentialIssued | CredentialRevoked;
