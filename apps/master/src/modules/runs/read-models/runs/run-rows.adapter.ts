import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { activeStatuses } from '../../domain/run.state.ts';
import type { DueRun, RunRows } from '../../ports.ts';
import { RunRow } from './run.entity.ts';

const dueRun = (row: RunRow): DueRun => ({
  id: row.id, node: row.node, status: row.status, attempt: row.attempt, deadline: row.deadline?.getTime() ?? 0, requestedAt: row.requestedAt.getTime(), dispatchedAt: row.dispatchedAt?.getTime() ?? 0,
  ...(row.instance === null ? {} : { instance: row.instance }), ...(row.claim === null ? {} : { claim: row.claim }),
});

/** The rows that reconcilers look through, from the read model. */
@Injectable()
export class ReadRunRows implements RunRows {
  constructor(@InjectRepository(RunRow) private readonly rows: Repository<RunRow>) {}

  async queued(now: number, limit: number): Promise<readonly DueRun[]> {
    const found = await this.rows.createQueryBuilder('run')
      .where('run.status = :status', { status: 'queued' })
      .andWhere('(run.notBefore is null or run.notBefore <= :now)', { now: new Date(now) })
      .orderBy('run.requestedAt').addOrderBy('run.id').take(limit).getMany();
    return found.map(dueRun);
  }

  async active(node?: string): Promise<readonly DueRun[]> {
    const found = await this.rows.find({ where: { status: In([...activeStatuses]), ...(node === undefined ? {} : { node }) }, order: { requestedAt: 'ASC', id: 'ASC' } });
    return found.map(dueRun);
  }
}
