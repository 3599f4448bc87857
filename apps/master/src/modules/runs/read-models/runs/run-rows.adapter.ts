import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { activeStatuses } from '../../domain/run.state.ts';
import type { DueRun, RunRows } from '../../ports.ts';
import { RunRow } from './run.entity.ts';

type Due = Pick<RunRow, 'id' | 'node' | 'status' | 'attempt' | 'deadline' | 'requestedAt' | 'dispatchedAt' | 'instance' | 'claim'>;

const dueRun = ({ id, node, status, attempt, deadline, requestedAt, dispatchedAt, instance, claim }: Due): DueRun => ({
  id, node, status, attempt, deadline: deadline?.getTime() ?? 0, requestedAt: requestedAt.getTime(), dispatchedAt: dispatchedAt?.getTime() ?? 0,
  ...(instance === null ? {} : { instance }), ...(claim === null ? {} : { claim }),
});

/** Reconcilers ask often: without plans, attempts and faults, and without what an entity costs. */
const select = `select id, node, status, attempt, deadline, requested_at as "requestedAt", dispatched_at as "dispatchedAt", instance, claim from read.runs`;

/** The rows that reconcilers look through, from the read model. */
@Injectable()
export class ReadRunRows implements RunRows {
  constructor(@InjectRepository(RunRow) private readonly rows: Repository<RunRow>) {}

  async queued(now: number, limit: number): Promise<readonly DueRun[]> {
    const found: Due[] = await this.rows.query(
      `${select} where status = 'queued' and (not_before is null or not_before <= $1) order by requested_at, id limit $2`, [new Date(now), limit]);
    return found.map(dueRun);
  }

  async active(node?: string): Promise<readonly DueRun[]> {
    const found: Due[] = await this.rows.query(
      `${select} where status = any($1) and ($2::text is null or node = $2) order by requested_at, id`, [activeStatuses, node ?? null]);
    return found.map(dueRun);
  }
}
