import { Inject, Injectable } from '@nestjs/common';
import type { Sql } from '#event-store';
import { SQL } from '../../../../platform/index.ts';
import type { ChildRow, ParentRows } from '../../ports.ts';

type Child = Omit<ChildRow, 'code'> & { readonly code: string | null };

/** Cancelled, with children to begin, or with none at work; of `any` also with one that waits, as its node may have gone. */
const due = `
select p.id from read.runs p where p.mode is not null and p.ended_at is null and (
  p.status = 'cancel-requested' or p.children_waiting > 0
  or not exists (select 1 from read.runs c where c.parent = p.id and c.ended_at is null)
  or p.mode = 'any' and exists (select 1 from read.runs c where c.parent = p.id and c.status = 'queued'))
order by p.requested_at, p.id`;

/** Parent runs and their children as reconcilers look through them, from the read model. */
@Injectable()
export class ReadParentRows implements ParentRows {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async due(): Promise<readonly string[]> {
    const { rows } = await this.sql.query<{ readonly id: string }>({ name: 'parent runs that may be due', text: due, values: [] });
    return rows.map(({ id }) => id);
  }

  async children(parent: string): Promise<readonly ChildRow[]> {
    const text = 'select id, node, status, code, started_at is not null as started from read.runs where parent = $1';
    const { rows } = await this.sql.query<Child>({ name: 'children of a run', text, values: [parent] });
    return rows.map(({ code, ...row }) => ({ ...row, ...(code === null ? {} : { code }) }));
  }
}
