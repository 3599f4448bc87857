import { IsString, Length, Matches, MaxLength } from 'class-validator';

/** A key pair that the node connects, or connected, with; nothing secret. */
export class CredentialAnswer {
  id: string;
  /** NATS user key. */
  publicKey: string;
  /**
   * `issued`: the node's key; `rotated`: replaced, works until `graceUntil`; `expired`: its token ran out and is renewed when the host is
   * back; `revoked`: never again.
   */
  status: 'issued' | 'rotated' | 'expired' | 'revoked';
  /** When its first token was signed. RFC 3339. */
  firstIssuedAt: string;
  /** Of its latest token. */
  issuedAt: string;
  expiresAt: string;
  /** The rotation that is under way for it. */
  rotation?: string;
  /** When its agent was asked for a new key; absent when it has answered, or was not asked. */
  rotationRequestedAt?: string;
  /** The public key whose place it took. */
  replaces?: string;
  /** The public key that took its place. */
  successor?: string;
  graceUntil?: string;
  revokedAt?: string;
  reason?: string;
}

export class CredentialList {
  items: CredentialAnswer[];
}

const natsKey = { message: 'publicKey must be a NATS user key: U and 55 letters and digits' };

/** A node whose token NATS does not take any more. */
export class ChallengeRequest {
  @Matches(/^node_[0-9a-z]{20}$/) node: string;
  @Matches(/^U[A-Z2-7]{55}$/, natsKey) publicKey: string;
}

export class ChallengeAnswer {
  nonce: string;
  /** RFC 3339. */
  expiresAt: string;
}

export class RenewRequest extends ChallengeRequest {
  @IsString() @Length(16, 128) nonce: string;
  /** Signature of the node's key over node and nonce (base64). */
  @IsString() @MaxLength(128) proof: string;
}

export class RenewAnswer {
  /** Token for NATS; worth nothing without the node's private key. */
  jwt: string;
}
