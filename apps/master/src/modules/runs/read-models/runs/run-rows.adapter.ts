import { Inject, Injectable } from '@nestjs/common';
import type { Sql } from '#event-store';
import { SQL } from '../../../../platform/index.ts';
import { absenceDue } from '../../domain/run.absence.ts';
import type { AwayRule } from '../../domain/run.plan.ts';
import { activeStatuses } from '../../domain/run.state.ts';
import type { DueRun, RunRows } from '../../ports.ts';
import type { RunRow } from './run.entity.ts';

type Due = Pick<RunRow, 'id' | 'status' | 'attempt' | 'deadline' | 'requestedAt' | 'dispatchedAt' | 'instance' | 'claim' | 'away'> & { readonly node: string };

const absenceOf = (away: AwayRule | null): { absenceDue?: number } => {
  const due = away ? absenceDue(away) : undefined;
  return due === undefined ? {} : { absenceDue: due };
};

/** The row as reconcilers see it. */
export const dueRun = ({ id, node, status, attempt, deadline, requestedAt, dispatchedAt, instance, claim, away }: Due): DueRun => ({
  id, node, status, attempt, deadline: deadline?.getTime() ?? 0, requestedAt: requestedAt.getTime(), dispatchedAt: dispatchedAt?.getTime() ?? 0,
  ...(instance === null ? {} : { instance }), ...(claim === null ? {} : { claim }), ...absenceOf(away),
});

/** Parent runs have no node, and nothing is sent for them. Reconcilers ask often: without plans, attempts and faults, and without what an entity costs. */
const select = `select id, node, status, attempt, deadline, requested_at as "requestedAt", dispatched_at as "dispatchedAt", instance, claim, away from read.runs where node is not null`;

/** The rows that reconcilers look through, from the read model. */
@Injectable()
export class ReadRunRows implements RunRows {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async queued(now: number, limit: number): Promise<readonly DueRun[]> {
    const text = `${select} and status = 'queued' and (not_before is null or not_before <= $1) order by requested_at, id limit $2`;
    const { rows } = await this.sql.query<Due>({ name: 'queued runs', text, values: [new Date(now), limit] });
    return rows.map(dueRun);
  }

  async active(node?: string): Promise<readonly DueRun[]> {
    const order = 'order by requested_at, id';
    const { rows } = await this.sql.query<Due>(node === undefined
      ? { name: 'active runs', text: `${select} and status = any($1) ${order}`, values: [activeStatuses] }
      : { name: 'active runs of a node', text: `${select} and status = any($1) and node = $2 ${order}`, values: [activeStatuses, node] });
    return rows.map(dueRun);
  }
}
