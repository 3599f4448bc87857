import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { RunStatistics } from '#contracts';

/** A snapshot and what became of it. */
@Entity({ schema: 'read', name: 'snapshots' })
@Index('snapshots_time', ['time', 'id'])
@Index('snapshots_repository', ['repository', 'time'])
export class SnapshotRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) run: string;
  @Column({ type: 'text' }) node: string;
  @Column({ type: 'text' }) target: string;
  @Column({ type: 'text' }) repository: string;
  @Column({ type: 'text', nullable: true }) task: string | null;
  @Column({ name: 'task_name', type: 'text', nullable: true }) taskName: string | null;
  /** The master's time of the attempt that made it. */
  @Column({ type: 'timestamptz' }) time: Date;
  /** Full name of the snapshot object. */
  @Column({ type: 'text' }) object: string;
  @Column({ type: 'bigint' }) size: number;
  @Column({ type: 'boolean' }) partial: boolean;
  /** Its attempt had been given up before its report came. */
  @Column({ type: 'boolean' }) late: boolean;
  @Column({ type: 'jsonb', nullable: true }) statistics: RunStatistics | null;
  @Column({ type: 'boolean' }) held: boolean;
  @Column({ name: 'held_reason', type: 'text', nullable: true }) heldReason: string | null;
  @Column({ type: 'boolean' }) forgotten: boolean;
  @Column({ name: 'verified_level', type: 'text', nullable: true }) verifiedLevel: string | null;
  @Column({ name: 'verified_at', type: 'timestamptz', nullable: true }) verifiedAt: Date | null;
  @Column({ name: 'verified_outcome', type: 'text', nullable: true }) verifiedOutcome: 'intact' | 'damaged' | null;
  /** Revision of the snapshot's own aggregate; 0 until something became of it. */
  @Column({ type: 'integer' }) revision: number;
}
