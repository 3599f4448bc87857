import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { TaskDefinition } from '../../domain/task.definition.ts';

/** A task that has not been deleted, with what became of its last run. */
@Entity({ schema: 'read', name: 'tasks' })
@Index('tasks_name', ['name', 'id'])
export class TaskRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) name: string;
  @Column({ type: 'boolean' }) paused: boolean;
  @Column({ type: 'text' }) target: string;
  /** Those that it names; none where it chooses by labels. */
  @Column({ type: 'text', array: true }) nodes: string[];
  @Column({ type: 'jsonb' }) definition: TaskDefinition;
  @Column({ type: 'boolean' }) scheduled: boolean;
  /** The schedule counts from here: when it was set, changed or resumed. */
  @Column({ name: 'schedule_since', type: 'timestamptz' }) scheduleSince: Date;
  @Column({ name: 'created_at', type: 'timestamptz' }) createdAt: Date;
  @Column({ name: 'changed_at', type: 'timestamptz' }) changedAt: Date;
  @Column({ type: 'integer' }) revision: number;
}

/** The last scheduled instant that became a run of a task on one node, or a parent run of a task that chooses its nodes. */
@Entity({ schema: 'read', name: 'task_lanes' })
export class TaskLaneRow {
  /** `<task>-<node>`, or `<task>-chosen`. */
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) task: string;
  @Column({ name: 'scheduled_up_to', type: 'timestamptz' }) scheduledUpTo: Date;
}
