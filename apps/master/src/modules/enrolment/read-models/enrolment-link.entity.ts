import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A one-time link and what became of it. Its token is nowhere but with whoever was given it. */
@Entity({ schema: 'read', name: 'enrolment_links' })
export class EnrolmentLinkRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) node: string;
  /** Of the links that were made at once. */
  @Column({ type: 'text', nullable: true }) batch: string | null;
  /** As the log says; an `open` one whose time has passed opens nothing. */
  @Column({ type: 'text' }) status: 'open' | 'consumed' | 'expired' | 'revoked';
  @Column({ name: 'issued_at', type: 'timestamptz' }) issuedAt: Date;
  @Column({ name: 'expires_at', type: 'timestamptz' }) expiresAt: Date;
  @Column({ name: 'consumed_at', type: 'timestamptz', nullable: true }) consumedAt: Date | null;
}
