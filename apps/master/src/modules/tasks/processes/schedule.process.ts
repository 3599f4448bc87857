import { Inject, Injectable } from '@nestjs/common';
import { type Clock, type Logger, rfc3339 } from '#kernel';
import { CLOCK, LOGGER } from '../../../platform/index.ts';
import { Deciding, DispatchRunHandler, scheduledRunId } from '../../runs/index.ts';
import { laneId } from '../domain/lane.ts';
import { SCHEDULE_ROWS, type ScheduledTask, type ScheduleRows } from '../ports.ts';
import { instantsAfter } from './cron.ts';
import { ScheduledRequests } from './scheduled-requests.ts';

/** An instant that is found so many milliseconds late was missed: no master was there. */
const missedAfterMs = 60_000;
/** Instants looked at in one pass for one task and node; what lies further back is passed over in later passes. */
const lookBack = 10_000;
/** The next instant of a schedule that has none; to find none takes long enough to be remembered. */
const never = Number.POSITIVE_INFINITY;

/**
 * Turns the instants of schedules into runs. It keeps no position: what has become a run is in the rows, and a run's id follows from
 * task, node (or `parentLane`) and instant, so that any number of masters make one. Of several missed instants the last one counts.
 */
@Injectable()
export class ScheduleProcess {
  /** Next instant by task and node, so that an idle pass parses nothing: a cache of a pure function, keyed by what it follows from. */
  private upcoming = new Map<string, number>();

  constructor(
    private readonly deciding: Deciding,
    private readonly requests: ScheduledRequests,
    private readonly dispatch: DispatchRunHandler,
    @Inject(SCHEDULE_ROWS) private readonly rows: ScheduleRows,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One pass of the duty. A task that cannot be decided on keeps none of the others from its start; the first such fault is thrown at the end. */
  async pass(): Promise<void> {
    const tasks = await this.rows.tasks();
    const upTo = await this.rows.scheduledUpTo(tasks);
    const known = new Map<string, number>();
    const faults: unknown[] = [];
    for (const task of tasks) {
      for (const lane of task.lanes) {
        const from = Math.max(task.since, upTo.get(laneId(task.id, lane)) ?? 0);
        await this.consider(task, lane, { from, known }).catch((error: unknown) => faults.push(error));
      }
    }
    this.upcoming = known;
    if (faults.length > 0) throw faults[0];
  }

  private async consider(task: ScheduledTask, lane: string, { from, known }: { from: number; known: Map<string, number> }): Promise<void> {
    const now = this.clock.now();
    const key = `${task.id} ${lane} ${from} ${task.timeZone} ${task.cron}`;
    const next = this.upcoming.get(key) ?? instantsAfter(task, from, { count: 1, untilMs: Number.MAX_SAFE_INTEGER })[0] ?? never;
    known.set(key, next);
    if (next > now) return;
    const due = instantsAfter(task, from, { count: lookBack, untilMs: now }).at(-1) ?? next;
    await this.start(task, lane, due);
  }

  private async start(task: ScheduledTask, lane: string, instant: number): Promise<void> {
    const scheduledFor = rfc3339(instant);
    const missed = task.misfire === 'skip' && this.clock.now() - instant > missedAfterMs;
    const id = scheduledRunId(task.id, lane, scheduledFor);
    const wish = { id, task: task.id, cause: 'schedule', scheduledFor, missed, now: this.deciding.now() } as const;
    const decided = await this.deciding.execute('system:schedule', (unit) => this.requests.request(unit, wish, lane));
    if (!decided.ok) return this.logger.warn('A scheduled run was not made', { task: task.id, lane, instant: scheduledFor, code: decided.error.code });
    if (decided.value.events.length === 0) return;
    for (const { run, node } of decided.value.value) await this.dispatch.dispatch(run, node);
  }
}
