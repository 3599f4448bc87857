import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Who did what, when, to what. What exactly is in the event itself, in the archive. */
@Entity({ schema: 'read', name: 'audit' })
export class AuditRow {
  /** Id of the event. */
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'bigint' }) sequence: number;
  @Column({ type: 'timestamptz' }) time: Date;
  @Column({ type: 'text' }) actor: string;
  /** Client address, where there was a client. */
  @Column({ type: 'text', nullable: true }) from: string | null;
  @Column({ type: 'text' }) type: string;
  @Column({ type: 'text' }) aggregate: string;
  @Column({ name: 'aggregate_id', type: 'text' }) aggregateId: string;
  @Column({ type: 'integer' }) revision: number;
  @Column({ type: 'text' }) command: string;
}
