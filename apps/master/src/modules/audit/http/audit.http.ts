import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository, type SelectQueryBuilder } from 'typeorm';
import { parseTime, rfc3339 } from '#kernel';
import { NeedsRole, paginate } from '../../../platform/index.ts';
import { AuditRow } from '../read-models/audit.entity.ts';
import { AuditEntry, AuditPage, AuditQuery } from './audit.dto.ts';

const filtered = (rows: SelectQueryBuilder<AuditRow>, query: AuditQuery): SelectQueryBuilder<AuditRow> => {
  const equal = { actor: query.actor, type: query.type, aggregate: query.aggregate, aggregateId: query.subject };
  for (const [property, value] of Object.entries(equal)) {
    if (value !== undefined) rows.andWhere(`a.${property} = :${property}`, { [property]: value });
  }
  if (query.since !== undefined) rows.andWhere('a.time >= :since', { since: new Date(parseTime(query.since)) });
  if (query.until !== undefined) rows.andWhere('a.time < :until', { until: new Date(parseTime(query.until)) });
  return rows;
};

const entryOf = (row: AuditRow, data: Record<string, unknown>): AuditEntry => {
  const { id, sequence, time, actor, from, type, aggregate, aggregateId, revision, command } = row;
  return { id, sequence, time: rfc3339(time.getTime()), actor, type, aggregate, subject: aggregateId, revision, command, data, ...(from === null ? {} : { from }) };
};

/** Everything that ever happened, newest first. */
@ApiTags('audit')
@NeedsRole('admin')
@Controller('api/v1/audit')
export class AuditHttp {
  constructor(@InjectRepository(AuditRow) private readonly rows: Repository<AuditRow>) {}

  /** Who did what, when, from where, to what; filters may be combined. */
  @Get()
  async list(@Query() query: AuditQuery): Promise<AuditPage> {
    const page = await paginate(filtered(this.rows.createQueryBuilder('a'), query), [{ property: 'sequence', direction: 'DESC' }], query);
    const data = await this.dataOf(page.items.map(({ sequence }) => sequence));
    return { ...page, items: page.items.map((row) => entryOf(row, data.get(row.sequence) ?? {})) };
  }

  /** The events themselves are in the archive once; the rows of this list would only repeat them. */
  private async dataOf(sequences: readonly number[]): Promise<ReadonlyMap<number, Record<string, unknown>>> {
    const found: { sequence: number; data: Record<string, unknown> }[] = await this.rows.query(
      'select sequence, data from archive.events where sequence = any($1::bigint[])', [sequences]);
    return new Map(found.map(({ sequence, data }) => [sequence, data]));
  }
}
