import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A one-time link and what became of it. Its token is nowhere but with whoever was given it. */
@Entity({ schema: 'read', name: 'enrolment_links' })
export class EnrolmentLinkRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) node: string;
  /** As the log says; an `open` one whose time has passed opens nothing. */
  @Column({ type: 'text' }) status: 'open' | 'consumed' | 'expired';
  @Column({ name: 'issued_at', type: 'timestamptz' }) issuedAt: Date;
  @Column({ name: 'expires_at', type: 'timestamptz' }) expiresAt: Date;
  @Column({ name: 'consumed_at', type: 'timestamptz', nullable: true }) consumedAt: Date | null;
}
