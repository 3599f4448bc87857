import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key pair that a node connects, or connected, with. */
@Entity({ schema: 'read', name: 'node_credentials' })
export class CredentialRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) node: string;
  @Column({ name: 'public_key', type: 'text' }) publicKey: string;
  /** As the log says; what is over by its date counts as over before that. */
  @Column({ type: 'text' }) status: 'issued' | 'rotated' | 'revoked';
  /** When its first token was signed, and its latest. */
  @Column({ name: 'first_issued_at', type: 'timestamptz' }) firstIssuedAt: Date;
  @Column({ name: 'issued_at', type: 'timestamptz' }) issuedAt: Date;
  @Column({ name: 'expires_at', type: 'timestamptz' }) expiresAt: Date;
  /** The log says that its latest token ran out. */
  @Column({ type: 'boolean' }) expired: boolean;
  /** The rotation that is under way for it: asked for and unanswered, or answered with this key and not yet taken up. */
  @Column({ type: 'text', nullable: true }) rotation: string | null;
  /** When a successor was asked for; null while none is waited for. */
  @Column({ name: 'rotation_requested_at', type: 'timestamptz', nullable: true }) rotationRequestedAt: Date | null;
  /** The public key whose place it took, and the one that took its place. */
  @Column({ type: 'text', nullable: true }) replaces: string | null;
  @Column({ type: 'text', nullable: true }) successor: string | null;
  @Column({ name: 'grace_until', type: 'timestamptz', nullable: true }) graceUntil: Date | null;
  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true }) revokedAt: Date | null;
  @Column({ type: 'text', nullable: true }) reason: string | null;
  /** Of its last event: claims that were made from the credentials carry the highest of these. */
  @Column({ type: 'bigint' }) sequence: number;
  /** Time of record of its last event. */
  @Column({ name: 'changed_at', type: 'timestamptz' }) changedAt: Date;
}
