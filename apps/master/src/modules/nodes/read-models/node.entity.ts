import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { HostFacts, Labels } from '../domain/node.events.ts';

/** A node that is there, as the log tells it. Whether it is online is in `read.presence`. */
@Entity({ schema: 'read', name: 'nodes' })
export class NodeRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'integer' }) revision: number;
  @Column({ type: 'text' }) name: string;
  @Column({ type: 'jsonb' }) labels: Labels;
  @Column({ type: 'integer' }) slots: number;
  @Column({ type: 'boolean' }) drained: boolean;
  @Column({ name: 'drain_reason', type: 'text', nullable: true }) drainReason: string | null;
  @Column({ type: 'boolean' }) disabled: boolean;
  @Column({ name: 'disabled_reason', type: 'text', nullable: true }) disabledReason: string | null;
  @Column({ name: 'added_at', type: 'timestamptz' }) addedAt: Date;
  /** Of the last enrolment; null before the first. */
  @Column({ name: 'enrolled_at', type: 'timestamptz', nullable: true }) enrolledAt: Date | null;
  @Column({ name: 'public_key', type: 'text', nullable: true }) publicKey: string | null;
  @Column({ type: 'text', nullable: true }) recipient: string | null;
  @Column({ type: 'text', nullable: true }) hostname: string | null;
  @Column({ type: 'text', nullable: true }) platform: string | null;
  @Column({ type: 'text', nullable: true }) arch: string | null;
  /** All that its agent said of the host when it enrolled. */
  @Column({ type: 'jsonb', nullable: true }) host: HostFacts | null;
}
