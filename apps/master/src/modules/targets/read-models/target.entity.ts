import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TargetSettings, TargetTested } from '../domain/target.events.ts';

/** A target that is there. */
@Entity({ schema: 'read', name: 'targets' })
export class TargetRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'integer' }) revision: number;
  @Column({ type: 'text' }) name: string;
  @Column({ type: 'text' }) kind: TargetSettings['kind'];
  /** Without the secret part. */
  @Column({ type: 'jsonb' }) settings: TargetSettings;
  /** Name of the sealed secret in the vault. */
  @Column({ type: 'text', nullable: true }) secret: string | null;
  @Column({ name: 'added_at', type: 'timestamptz' }) addedAt: Date;
  /** The last test of these settings; null when there was none. */
  @Column({ name: 'tested_at', type: 'timestamptz', nullable: true }) testedAt: Date | null;
  @Column({ type: 'jsonb', nullable: true }) test: TargetTested['data'] | null;
}
