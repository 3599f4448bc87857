/** `ScheduleRows`: the rows that the scheduler looks through. */
export const SCHEDULE_ROWS = Symbol('ScheduleRows');

/** A task with a schedule that counts; possibly a moment old, so every start decides again. */
export interface ScheduledTask {
  readonly id: string;
  /** The lanes that it starts in: its nodes, or `parentLane` where it chooses them. */
  readonly lanes: readonly string[];
  readonly cron: string;
  readonly timeZone: string;
  readonly misfire: 'run-once' | 'skip';
  /** Milliseconds since 1970: earlier instants do not count. */
  readonly since: number;
}

export interface ScheduleRows {
  /** Tasks with a schedule that are not paused. */
  tasks(): Promise<readonly ScheduledTask[]>;
  /** By lane id: the last instant (milliseconds since 1970) that has become a run, where there was one. */
  scheduledUpTo(tasks: readonly ScheduledTask[]): Promise<ReadonlyMap<string, number>>;
}
