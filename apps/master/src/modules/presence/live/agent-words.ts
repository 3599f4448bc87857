import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { SelfAsk } from '#contracts';
import { storableJson } from '#kernel';
import { AgentWordRow } from './agent-word.entity.ts';

const upsert = `
insert into live.agents as a (node, host, upgrade) values ($1, $2::jsonb, $3::jsonb)
on conflict (node) do update set host = coalesce(excluded.host, a.host), upgrade = excluded.upgrade
where a.host is distinct from coalesce(excluded.host, a.host) or a.upgrade is distinct from excluded.upgrade`;

/** Keeps what agents say of their hosts. */
@Injectable()
export class AgentWords {
  constructor(@InjectRepository(AgentWordRow) private readonly rows: Repository<AgentWordRow>) {}

  /** Writes only what is new: every agent says it every minute. */
  async keep(node: string, { host, upgrade }: Pick<SelfAsk, 'host' | 'upgrade'>): Promise<void> {
    await this.rows.query(upsert, [node, host ? storableJson(JSON.stringify(host)) : null, upgrade ? storableJson(JSON.stringify(upgrade)) : null]);
  }
}
