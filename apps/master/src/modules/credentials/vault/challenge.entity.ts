import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A word that a host which was away has signed: it opens nothing again. */
@Entity({ schema: 'vault', name: 'credential_challenges' })
export class CredentialChallenge {
  @PrimaryColumn({ type: 'text' }) nonce: string;
  @Column({ type: 'text' }) node: string;
  @Column({ name: 'public_key', type: 'text' }) publicKey: string;
  @Column({ name: 'expires_at', type: 'timestamptz' }) expiresAt: Date;
}
