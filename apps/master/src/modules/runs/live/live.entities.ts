import type { Progress } from '#contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A claimed attempt that its node did not name at its last syncs. */
@Entity({ schema: 'live', name: 'run_absences' })
export class RunAbsence {
  @PrimaryColumn({ type: 'text' }) run: string;
  @PrimaryColumn({ type: 'integer' }) attempt: number;
  /** Syncs in a row. */
  @Column({ type: 'integer' }) times: number;
  @Column({ type: 'timestamptz' }) since: Date;
}

/** A master whose executor is alive. */
@Entity({ schema: 'live', name: 'executors' })
export class ExecutorBeat {
  @PrimaryColumn({ type: 'text' }) instance: string;
  /** The database's clock. */
  @Column({ name: 'beat_at', type: 'timestamptz' }) beatAt: Date;
  /** The database's clock; absent: of a master of an older version. */
  @Column({ name: 'believed_until', type: 'timestamptz', nullable: true }) believedUntil: Date | null;
}

/** The last progress of a run at work. */
@Entity({ schema: 'live', name: 'run_progress' })
export class RunProgress {
  @PrimaryColumn({ type: 'text' }) run: string;
  /** Who said so; counts only when the run is that node's. */
  @Column({ type: 'text' }) node: string;
  @Column({ type: 'integer' }) attempt: number;
  @Column({ type: 'jsonb' }) progress: Progress;
  @Column({ name: 'received_at', type: 'timestamptz' }) receivedAt: Date;
}
