import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ItemFault, RunStatistics } from '#contracts';
import type { AwayRule, RunCause, RunKind, RunPlan } from '../../domain/run.plan.ts';
import type { AttemptStatus, RunStatus } from '../../domain/run.state.ts';

/** One attempt as it is shown; times are RFC 3339. */
export interface AttemptView {
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly dispatchedAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly instance?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly late?: boolean;
}

/** A run with its attempts. */
@Entity({ schema: 'read', name: 'runs' })
@Index('runs_status', ['status', 'node'])
@Index('runs_requested', ['requestedAt', 'id'])
@Index('runs_task', ['task', 'requestedAt'])
export class RunRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) kind: RunKind;
  @Column({ type: 'text' }) status: RunStatus;
  /** Null: a parent run, whose children have nodes. */
  @Column({ type: 'text', nullable: true }) node: string | null;
  @Column({ type: 'text' }) target: string;
  @Column({ type: 'text', nullable: true }) repository: string | null;
  @Column({ type: 'text', nullable: true }) task: string | null;
  @Column({ name: 'task_name', type: 'text', nullable: true }) taskName: string | null;
  @Column({ type: 'text' }) cause: RunCause;
  @Column({ type: 'jsonb' }) plan: RunPlan;
  /** Who asked for it: `user:`, `key:` or `system:`. */
  @Column({ name: 'requested_by', type: 'text' }) requestedBy: string;
  @Column({ name: 'requested_at', type: 'timestamptz' }) requestedAt: Date;
  @Column({ name: 'scheduled_for', type: 'timestamptz', nullable: true }) scheduledFor: Date | null;
  /** No attempt begins before. */
  @Column({ name: 'not_before', type: 'timestamptz', nullable: true }) notBefore: Date | null;
  @Column({ name: 'started_at', type: 'timestamptz', nullable: true }) startedAt: Date | null;
  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true }) endedAt: Date | null;
  @Column({ name: 'timeout_seconds', type: 'integer' }) timeoutSeconds: number;
  /** Number of the last attempt; 0: none yet. */
  @Column({ type: 'integer' }) attempt: number;
  @Column({ name: 'dispatched_at', type: 'timestamptz', nullable: true }) dispatchedAt: Date | null;
  /** Of the attempt under way: to claim, or to end. */
  @Column({ type: 'timestamptz', nullable: true }) deadline: Date | null;
  @Column({ type: 'text', nullable: true }) instance: string | null;
  @Column({ type: 'text', nullable: true }) claim: string | null;
  @Column({ type: 'jsonb' }) attempts: AttemptView[];
  @Column({ type: 'text', nullable: true }) code: string | null;
  @Column({ type: 'text', nullable: true }) detail: string | null;
  @Column({ type: 'text', nullable: true }) snapshot: string | null;
  @Column({ type: 'jsonb', nullable: true }) statistics: RunStatistics | null;
  @Column({ type: 'jsonb', nullable: true }) phases: Record<string, number> | null;
  @Column({ type: 'jsonb', nullable: true }) faults: ItemFault[] | null;
  @Column({ name: 'fault_count', type: 'integer' }) faultCount: number;
  /** The parent run that it is a child of. */
  @Column({ type: 'text', nullable: true }) parent: string | null;
  /** What becomes of it while its node is away; null: it waits as long as it takes. */
  @Column({ type: 'jsonb', nullable: true }) away: AwayRule | null;
  /** Of a parent run only, and so are the next three. */
  @Column({ type: 'text', nullable: true }) mode: 'any' | 'all' | null;
  @Column({ type: 'jsonb', nullable: true }) selector: Record<string, string> | null;
  /** Nodes that it is for: with `any` one. */
  @Column({ name: 'child_count', type: 'integer', nullable: true }) childCount: number | null;
  /** Children that are yet to begin, or to begin once more. */
  @Column({ name: 'children_waiting', type: 'integer', nullable: true }) childrenWaiting: number | null;
  @Column({ type: 'integer' }) revision: number;
}
