import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Whether a node is there, as the log tells it. A node that never connected has no row. */
@Entity({ schema: 'read', name: 'presence' })
export class PresenceRow {
  @PrimaryColumn({ type: 'text' }) node: string;
  @Column({ type: 'text' }) status: 'online' | 'suspect' | 'offline';
  /** When the status began. */
  @Column({ type: 'timestamptz' }) since: Date;
  /** State directory that counts as the node's. */
  @Column({ type: 'text', nullable: true }) instance: string | null;
  @Column({ type: 'text', nullable: true }) version: string | null;
  /** Why it is suspect or offline. */
  @Column({ type: 'text', nullable: true }) reason: string | null;
  /** A second state directory that speaks as this node: an alarm. */
  @Column({ type: 'text', nullable: true }) duplicate: string | null;
  @Column({ name: 'duplicate_hostname', type: 'text', nullable: true }) duplicateHostname: string | null;
}
