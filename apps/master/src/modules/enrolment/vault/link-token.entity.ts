import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The hash of an enrolment link's token. */
@Entity({ schema: 'vault', name: 'link_tokens' })
export class LinkToken {
  /** SHA-256 (hex). */
  @PrimaryColumn({ type: 'text' }) hash: string;
  @Column({ type: 'text' }) link: string;
  @Column({ type: 'text' }) node: string;
  @Column({ name: 'expires_at', type: 'timestamptz' }) expiresAt: Date;
}
