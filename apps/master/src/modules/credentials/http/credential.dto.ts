import { IsOptional, IsString, MaxLength } from 'class-validator';

export class RevokeRequest {
  /** Shown in the audit log. */
  @IsOptional() @IsString() @MaxLength(500) reason?: string;
}

/** A key pair that the node connects, or connected, with; nothing secret. */
export class CredentialAnswer {
  id: string;
  publicKey: string;
  status: 'issued' | 'revoked';
  /** RFC 3339. */
  issuedAt: string;
  expiresAt: string;
  revokedAt?: string;
  reason?: string;
}

export class CredentialList {
  items: CredentialAnswer[];
}
