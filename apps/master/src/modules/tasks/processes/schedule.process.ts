import { Inject, Injectable } from '@nestjs/common';
import { type Clock, type Logger, rfc3339 } from '#kernel';
import { CLOCK, LOGGER } from '../../../platform/index.ts';
import { Deciding, DispatchRunHandler, RequestRunHandler, scheduledRunId } from '../../runs/index.ts';
import { laneId } from '../domain/lane.ts';
import { SCHEDULE_ROWS, type ScheduledTask, type ScheduleRows } from '../ports.ts';
import { instantsAfter } from './cron.ts';

/** An instant that is found so many milliseconds late was missed: no master was there. */
const missedAfterMs = 60_000;
/** Instants looked at in one pass for one task and node; what lies further back is passed over in later passes. */
const lookBack = 10_000;

/**
 * Turns the instants of schedules into runs. It keeps no position: what has become a run is in the rows, and a run's id follows from
 * task, node and instant, so that any number of masters make one. Of several missed instants the last one counts.
 */
@Injectable()
export class ScheduleProcess {
  /** Next instant by task and node, so that an idle pass parses nothing: a cache of a pure function, keyed by what it follows from. */
  private upcoming = new Map<string, number>();

  constructor(
    private readonly deciding: Deciding,
    private readonly requests: RequestRunHandler,
    private readonly dispatch: DispatchRunHandler,
    @Inject(SCHEDULE_ROWS) private readonly rows: ScheduleRows,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One pass of the duty. */
  async pass(): Promise<void> {
    const tasks = await this.rows.tasks();
    const upTo = await this.rows.scheduledUpTo(tasks);
    const known = new Map<string, number>();
    for (const task of tasks) {
      for (const node of task.nodes) {
        const from = Math.max(task.since, upTo.get(laneId(task.id, node)) ?? 0);
        await this.consider(task, node, { from, known });
      }
    }
    this.upcoming = known;
  }

  private async consider(task: ScheduledTask, node: string, { from, known }: { from: number; known: Map<string, number> }): Promise<void> {
    const now = this.clock.now();
    const key = `${task.id} ${node} ${from} ${task.timeZone} ${task.cron}`;
    const next = this.upcoming.get(key) ?? instantsAfter(task, from, { count: 1, untilMs: Number.MAX_SAFE_INTEGER })[0];
    if (next === undefined) return;
    known.set(key, next);
    if (next > now) return;
    const due = instantsAfter(task, from, { count: lookBack, untilMs: now }).at(-1) ?? next;
    await this.start(task, node, due);
  }

  private async start(task: ScheduledTask, node: string, instant: number): Promise<void> {
    const scheduledFor = rfc3339(instant);
    const missed = task.misfire === 'skip' && this.clock.now() - instant > missedAfterMs;
    const id = scheduledRunId(task.id, node, scheduledFor);
    const decided = await this.deciding.execute('system:schedule', (unit) =>
      this.requests.ofTask(unit, { id, task: task.id, node, cause: 'schedule', scheduledFor, missed }));
    if (!decided.ok) return this.logger.warn('A scheduled run was not made', { task: task.id, node, instant: scheduledFor, code: decided.error.code });
    if (decided.value.events.length > 0) await this.dispatch.dispatch(id, node);
  }
}
