import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { fault, rfc3339 } from '#kernel';
import { type Page, mapPage, paginate } from '../../../../platform/index.ts';
import type { SnapshotAnswer, SnapshotQuery } from '../../http/snapshot.dto.ts';
import { SnapshotRow } from './snapshot.entity.ts';

const verifiedOf = ({ verifiedLevel: level, verifiedAt: at, verifiedOutcome: outcome }: SnapshotRow): Pick<SnapshotAnswer, 'verified'> =>
  level !== null && at && outcome ? { verified: { level, at: rfc3339(at.getTime()), outcome } } : {};

const countsOf = ({ statistics }: SnapshotRow): Pick<SnapshotAnswer, 'files' | 'directories' | 'bytes' | 'storedBytes'> => {
  const { files = 0, directories = 0, bytes = 0, storedBytes = 0 } = statistics ?? {};
  return { files, directories, bytes, storedBytes };
};

const answerOf = (row: SnapshotRow): SnapshotAnswer => {
  const { id, revision, run, node, target, repository, task, taskName, time, partial, late, held, heldReason, forgotten } = row;
  return {
    id, revision, run, node, target, repository, time: rfc3339(time.getTime()), partial, late, held, forgotten, ...countsOf(row), ...verifiedOf(row),
    ...(task === null ? {} : { task }), ...(taskName === null ? {} : { taskName }), ...(heldReason === null ? {} : { heldReason }),
  };
};

/** Snapshots as the interfaces show them. */
@Injectable()
export class SnapshotViews {
  constructor(@InjectRepository(SnapshotRow) private readonly rows: Repository<SnapshotRow>) {}

  /** One page, the latest first. */
  async list({ node, task, target, forgotten = false, ...page }: SnapshotQuery): Promise<Page<SnapshotAnswer>> {
    const query = this.rows.createQueryBuilder('s');
    if (!forgotten) query.andWhere('not s.forgotten');
    for (const [column, value] of Object.entries({ node, task, target })) {
      if (value !== undefined) query.andWhere(`s.${column} = :${column}`, { [column]: value });
    }
    return mapPage(await paginate(query, [{ property: 'time', direction: 'DESC' }, { property: 'id', direction: 'DESC' }], page), answerOf);
  }

  /** Throws `snapshot-not-found`. */
  async show(id: string): Promise<SnapshotAnswer> {
    return answerOf(await this.row(id));
  }

  /** The row itself. Throws `snapshot-not-found`. */
  async row(id: string): Promise<SnapshotRow> {
    const row = await this.rows.findOneBy({ id });
    if (!row) throw fault('not-found', 'snapshot-not-found', 'There is no such snapshot; list them with GET /api/v1/snapshots');
    return row;
  }
}
