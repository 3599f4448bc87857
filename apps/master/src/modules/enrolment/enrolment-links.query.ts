import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThanOrEqual, Repository } from 'typeorm';
import { type Clock, rfc3339 } from '#kernel';
import { CLOCK, type Page, mapPage, paginate } from '../../platform/index.ts';
import type { LinkQuery, LinkView } from './http/enrolment.dto.ts';
import { EnrolmentLinkRow } from './read-models/enrolment-link.entity.ts';

/** Conditions on a row, with what they call `expired` true at `:now` whether its event has been written yet or not. */
const conditions = {
  open: "l.status = 'open' and l.expiresAt > :now",
  consumed: "l.status = 'consumed'",
  revoked: "l.status = 'revoked'",
  expired: "(l.status = 'expired' or (l.status = 'open' and l.expiresAt <= :now))",
};

/** Enrolment links as the interfaces show them, and as the reconciler looks through them. */
@Injectable()
export class EnrolmentLinks {
  constructor(@InjectRepository(EnrolmentLinkRow) private readonly rows: Repository<EnrolmentLinkRow>, @Inject(CLOCK) private readonly clock: Clock) {}

  /** One page, the newest first. */
  async list({ node, batch, status, ...page }: LinkQuery): Promise<Page<LinkView>> {
    const now = this.clock.now();
    const query = this.rows.createQueryBuilder('l');
    if (node !== undefined) query.andWhere('l.node = :node', { node });
    if (batch !== undefined) query.andWhere('l.batch = :batch', { batch });
    if (status !== undefined) query.andWhere(conditions[status], { now: new Date(now) });
    const found = await paginate(query, [{ property: 'issuedAt', direction: 'DESC' }, { property: 'id', direction: 'DESC' }], page);
    return mapPage(found, (row) => this.viewOf(row, now));
  }

  /** Ids of links that were not spent in time and of which the log does not say so yet. */
  async due(limit: number): Promise<readonly string[]> {
    const where = { status: 'open' as const, expiresAt: LessThanOrEqual(new Date(this.clock.now())) };
    return (await this.rows.find({ where, order: { expiresAt: 'ASC', id: 'ASC' }, take: limit })).map(({ id }) => id);
  }

  /** Ids of the links that were made at once. */
  async ofBatch(batch: string): Promise<readonly string[]> {
    return (await this.rows.find({ where: { batch }, order: { id: 'ASC' }, select: { id: true } })).map(({ id }) => id);
  }

  private viewOf({ id, node, batch, status, issuedAt, expiresAt, consumedAt }: EnrolmentLinkRow, now: number): LinkView {
    const open = status === 'open' && expiresAt.getTime() > now;
    return {
      id, node, issuedAt: rfc3339(issuedAt.getTime()), expiresAt: rfc3339(expiresAt.getTime()),
      status: status === 'open' && !open ? 'expired' : status,
      ...(batch === null ? {} : { batch }),
      ...(open ? { remainingSeconds: Math.floor((expiresAt.getTime() - now) / 1000) } : {}),
      ...(consumedAt ? { consumedAt: rfc3339(consumedAt.getTime()) } : {}),
    };
  }
}
