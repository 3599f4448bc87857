import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { type Clock, fault, rfc3339 } from '#kernel';
import { CLOCK, type Page, paginate } from '../../../../platform/index.ts';
import { SnapshotRow, expired } from '../../../snapshots/index.ts';
import { laneId, parentLane } from '../../domain/lane.ts';
import { type TaskPlacement, selects } from '../../domain/task.placement.ts';
import type { PreviewAnswer, TaskAnswer, TaskQuery } from '../../http/task.dto.ts';
import type { ScheduledTask, ScheduleRows } from '../../ports.ts';
import { instantsAfter } from '../../processes/cron.ts';
import { TaskLaneRow, TaskRow } from './task.entity.ts';

const forEver = Number.MAX_SAFE_INTEGER;

const placementAnswer = (placement: TaskPlacement): Pick<TaskAnswer, 'offline' | 'place' | 'selector' | 'waitSeconds'> => ({
  offline: placement.offline,
  ...(placement.waitSeconds === undefined ? {} : { waitSeconds: placement.waitSeconds }),
  ...(selects(placement) ? { selector: { ...placement.selector }, place: placement.mode } : {}),
});

/** Tasks as the interfaces show them, and as the scheduler looks through them. */
@Injectable()
export class TaskViews implements ScheduleRows {
  constructor(
    @InjectRepository(TaskRow) private readonly rows: Repository<TaskRow>,
    @InjectRepository(TaskLaneRow) private readonly lanes: Repository<TaskLaneRow>,
    @InjectRepository(SnapshotRow) private readonly snapshots: Repository<SnapshotRow>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** One page, in order of the names. */
  async list({ name, node, target, paused, ...page }: TaskQuery): Promise<Page<TaskAnswer>> {
    const query = this.rows.createQueryBuilder('t');
    if (name !== undefined) query.andWhere('strpos(lower(t.name), lower(:name)) > 0', { name });
    if (node !== undefined) query.andWhere(':node = any(t.nodes)', { node });
    if (target !== undefined) query.andWhere('t.target = :target', { target });
    if (paused !== undefined) query.andWhere('t.paused = :paused', { paused });
    const found = await paginate(query, [{ property: 'name', direction: 'ASC' }, { property: 'id', direction: 'ASC' }], page);
    return { ...found, items: found.items.map((row) => this.answerOf(row)) };
  }

  /** Throws `task-not-found`. */
  async show(id: string): Promise<TaskAnswer> {
    return this.answerOf(await this.row(id));
  }

  /** What the task will do: its next starts, and which snapshots its rules no longer keep. */
  async preview(id: string, count: number): Promise<PreviewAnswer> {
    const { definition, paused } = await this.row(id);
    const now = this.clock.now();
    const next = definition.schedule && !paused ? instantsAfter(definition.schedule, now, { count, untilMs: forEver }) : [];
    const snapshots = await this.snapshots.findBy({ task: id, forgotten: false });
    const byRepository = Map.groupBy(snapshots, (snapshot) => snapshot.repository);
    const expiring = [...byRepository.values()].flatMap((own) => {
      const items = own.map((row) => ({ id: row.id, time: row.time.getTime(), held: row.held }));
      return expired(items, definition.retention).map(({ id, time }) => ({ snapshot: id, time: rfc3339(time), node: own[0]?.node ?? '' }));
    });
    return { instants: next.map(rfc3339), expiring };
  }

  async tasks(): Promise<readonly ScheduledTask[]> {
    const rows = await this.rows.findBy({ scheduled: true, paused: false });
    return rows.flatMap(({ id, definition: { schedule, placement }, scheduleSince }) =>
      schedule ? [{ id, lanes: selects(placement) ? [parentLane] : placement.nodes, ...schedule, since: scheduleSince.getTime() }] : []);
  }

  async scheduledUpTo(tasks: readonly ScheduledTask[]): Promise<ReadonlyMap<string, number>> {
    const wanted = tasks.flatMap((task) => task.lanes.map((lane) => laneId(task.id, lane)));
    const rows = wanted.length === 0 ? [] : await this.lanes.findBy({ id: In(wanted) });
    return new Map(rows.map((row) => [row.id, row.scheduledUpTo.getTime()]));
  }

  private async row(id: string): Promise<TaskRow> {
    const row = await this.rows.findOneBy({ id });
    if (!row) throw fault('not-found', 'task-not-found', 'There is no such task; list them with GET /api/v1/tasks');
    return row;
  }

  private answerOf({ id, revision, name, paused, nodes, target, definition, createdAt, changedAt }: TaskRow): TaskAnswer {
    const { placement, source, schedule, overlap, retention, timeoutSeconds, retries } = definition;
    const [next] = schedule && !paused ? instantsAfter(schedule, this.clock.now(), { count: 1, untilMs: forEver }) : [];
    return {
      id, revision, name, status: paused ? 'paused' : 'active', nodes, target, source, overlap, retention, timeoutSeconds, retries,
      createdAt: rfc3339(createdAt.getTime()), changedAt: rfc3339(changedAt.getTime()),
      ...(nodes[0] === undefined ? {} : { node: nodes[0] }), ...placementAnswer(placement),
      ...(schedule ? { schedule } : {}), ...(next === undefined ? {} : { nextStart: rfc3339(next) }),
    };
  }
}
