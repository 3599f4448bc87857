import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key pair that a node connects, or connected, with. */
@Entity({ schema: 'read', name: 'credentials' })
export class CredentialRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) node: string;
  @Column({ name: 'public_key', type: 'text' }) publicKey: string;
  @Column({ type: 'text' }) status: 'issued' | 'revoked';
  @Column({ name: 'issued_at', type: 'timestamptz' }) issuedAt: Date;
  @Column({ name: 'expires_at', type: 'timestamptz' }) expiresAt: Date;
  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true }) revokedAt: Date | null;
  @Column({ type: 'text', nullable: true }) reason: string | null;
  /** Of its last event: claims that were made from the credentials carry the highest of these. */
  @Column({ type: 'bigint' }) sequence: number;
  /** Time of record of its last event. */
  @Column({ name: 'changed_at', type: 'timestamptz' }) changedAt: Date;
}
