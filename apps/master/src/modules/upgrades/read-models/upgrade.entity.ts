import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The last order to upgrade the agent of a node. */
@Entity({ schema: 'read', name: 'node_upgrades' })
export class UpgradeRow {
  @PrimaryColumn({ type: 'text' }) node: string;
  @Column({ type: 'text' }) id: string;
  @Column({ type: 'text' }) status: 'ordered' | 'done' | 'failed';
  @Column({ type: 'text' }) version: string;
  /** SHA-256 (hex) and bytes of the file. */
  @Column({ type: 'text' }) sha256: string;
  @Column({ type: 'bigint' }) size: number;
  @Column({ name: 'from_version', type: 'text', nullable: true }) from: string | null;
  @Column({ name: 'ordered_at', type: 'timestamptz' }) orderedAt: Date;
  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true }) endedAt: Date | null;
  /** Of a failure. */
  @Column({ type: 'text', nullable: true }) code: string | null;
  @Column({ type: 'text', nullable: true }) detail: string | null;
}
