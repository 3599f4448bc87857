import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import type { Progress } from '#contracts';
import { fault, rfc3339 } from '#kernel';
import { type Page, paginate } from '../../../../platform/index.ts';
import type { RunAnswer, RunDetailAnswer, RunQuery } from '../../http/run.dto.ts';
import { RunProgress } from '../../live/live.entities.ts';
import { RunRow } from './run.entity.ts';
import { type WaitingReason, WaitingReasons } from './waiting-reasons.query.ts';

/** What an answer takes from beside the row. */
interface Surroundings {
  readonly waiting: WaitingReason | undefined;
  readonly progress: Progress | undefined;
  /** Of a parent run: how many of its children are where. */
  readonly byStatus: Record<string, number> | undefined;
}

const times = (row: RunRow): Partial<RunAnswer> => {
  const shown = { scheduledFor: row.scheduledFor, startedAt: row.startedAt, finishedAt: row.endedAt, ...(row.status === 'queued' ? { notBefore: row.notBefore } : {}) };
  return Object.fromEntries(Object.entries(shown).flatMap(([key, date]) => (date ? [[key, rfc3339(date.getTime())]] : [])));
};

const present = <T extends object>(values: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined)) as Partial<{ [K in keyof T]: NonNullable<T[K]> }>;

/** What only a parent run has. */
const parentOf = ({ mode, selector, childCount }: RunRow, byStatus: Record<string, number> = {}): Partial<RunAnswer> =>
  mode === null ? {} : { place: mode, selector: selector ?? {}, children: { total: childCount ?? 0, byStatus } };

const answerOf = (row: RunRow, { waiting, progress, byStatus }: Surroundings): RunAnswer => ({
  id: row.id, revision: row.revision, kind: row.kind, status: row.status, target: row.target, cause: row.cause,
  requestedBy: row.requestedBy, requestedAt: rfc3339(row.requestedAt.getTime()), attempt: row.attempt, faultCount: row.faultCount,
  ...times(row),
  ...present({ node: row.node, parent: row.parent, task: row.task, taskName: row.taskName, code: row.code, detail: row.detail, snapshot: row.snapshot, statistics: row.statistics }),
  ...(waiting ? { waitingCode: waiting.code, waitingReason: waiting.detail } : {}),
  ...(progress ? { progress } : {}),
  ...parentOf(row, byStatus),
});

/** Runs as the interfaces show them. */
@Injectable()
export class RunViews {
  constructor(
    @InjectRepository(RunRow) private readonly rows: Repository<RunRow>,
    @InjectRepository(RunProgress) private readonly live: Repository<RunProgress>,
    private readonly waiting: WaitingReasons,
  ) {}

  /** One page, the latest first. */
  async list({ status, kind, node, task, parent, topLevel, ...page }: RunQuery): Promise<Page<RunAnswer>> {
    const query = this.rows.createQueryBuilder('r');
    for (const [column, value] of Object.entries({ status, kind, node, task, parent })) {
      if (value !== undefined) query.andWhere(`r.${column} = :${column}`, { [column]: value });
    }
    if (topLevel) query.andWhere('r.parent is null');
    const found = await paginate(query, [{ property: 'requestedAt', direction: 'DESC' }, { property: 'id', direction: 'DESC' }], page);
    return { ...found, items: await this.complete(found.items) };
  }

  /** Throws `run-not-found`. */
  async show(id: string): Promise<RunDetailAnswer> {
    const row = await this.rows.findOneBy({ id });
    const [answer] = row ? await this.complete([row]) : [];
    if (!row || !answer) throw fault('not-found', 'run-not-found', 'There is no such run; list them with GET /api/v1/runs');
    return {
      ...answer, attempts: row.attempts, faults: row.faults ?? [], plan: row.plan, timeoutSeconds: row.timeoutSeconds,
      ...(row.phases ? { phases: row.phases } : {}),
    };
  }

  private async complete(rows: readonly RunRow[]): Promise<RunAnswer[]> {
    const active = rows.filter((row) => row.status === 'running' || row.status === 'cancel-requested');
    const words = active.length === 0 ? [] : await this.live.findBy({ run: In(active.map((row) => row.id)) });
    const progress = new Map(words.map((word) => [`${word.run} ${word.node} ${word.attempt}`, word.progress]));
    const reasons = await this.waiting.of(rows);
    const children = await this.childrenOf(rows.filter((row) => row.mode !== null));
    return rows.map((row) => answerOf(row, {
      waiting: reasons.get(row.id), progress: progress.get(`${row.id} ${row.node} ${row.attempt}`), byStatus: children.get(row.id),
    }));
  }

  private async childrenOf(parents: readonly RunRow[]): Promise<ReadonlyMap<string, Record<string, number>>> {
    if (parents.length === 0) return new Map();
    const counts: { parent: string; status: string; count: string }[] = await this.rows.query(
      'select parent, status, count(*) as count from read.runs where parent = any($1) group by parent, status order by parent, status',
      [parents.map((row) => row.id)]);
    const byParent = Map.groupBy(counts, (one) => one.parent);
    return new Map([...byParent].map(([parent, of]) => [parent, Object.fromEntries(of.map(({ status, count }) => [status, Number(count)]))]));
  }
}
