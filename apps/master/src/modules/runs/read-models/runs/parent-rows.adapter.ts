import { Inject, Injectable } from '@nestjs/common';
import type { Sql } from '#event-store';
import { SQL } from '../../../../platform/index.ts';
import type { ChildRow, ParentRows } from '../../ports.ts';

type Child = Omit<ChildRow, 'code'> & { readonly code: string | null };

/** Parent runs and their children as reconcilers look through them, from the read model. */
@Injectable()
export class ReadParentRows implements ParentRows {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async open(): Promise<readonly string[]> {
    const text = 'select id from read.runs where mode is not null and ended_at is null order by requested_at, id';
    const { rows } = await this.sql.query<{ readonly id: string }>({ name: 'open parent runs', text, values: [] });
    return rows.map(({ id }) => id);
  }

  async children(parent: string): Promise<readonly ChildRow[]> {
    const text = 'select id, node, status, code, started_at is not null as started from read.runs where parent = $1';
    const { rows } = await this.sql.query<Child>({ name: 'children of a run', text, values: [parent] });
    return rows.map(({ code, ...row }) => ({ ...row, ...(code === null ? {} : { code }) }));
  }
}
