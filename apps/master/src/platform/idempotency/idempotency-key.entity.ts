import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A write that was sent with an `Idempotency-Key`: what it was and, once it is done, how it was answered. Kept for a day. */
@Entity({ schema: 'vault', name: 'idempotency_keys' })
export class IdempotencyKey {
  /** Actor that sent it: keys of different senders never meet. */
  @PrimaryColumn({ type: 'text' }) sender: string;
  @PrimaryColumn({ type: 'text' }) key: string;
  /** SHA-256 (hex) of method, path and body. */
  @Column({ type: 'text' }) fingerprint: string;
  /** When the work on it began. */
  @Column({ name: 'begun_at', type: 'timestamptz' }) begunAt: Date;
  /** Absent while it is being worked on. */
  @Column({ type: 'integer', nullable: true }) status: number | null;
  /** JSON of the answer, sealed: an answer may hold a secret that is shown once. */
  @Column({ name: 'sealed_answer', type: 'bytea', nullable: true }) sealedAnswer: Buffer | null;
}
