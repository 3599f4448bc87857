import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { fault, rfc3339 } from '#kernel';
import { type Page, paginate } from '../../platform/index.ts';
import { HeartbeatRow, PresenceRow } from '../presence/index.ts';
import type { NodeAnswer, NodeQuery } from './http/node.dto.ts';
import { NodeRow } from './read-models/node.entity.ts';

const time = (date: Date): string => rfc3339(date.getTime());

const heartbeatOf = ({ lastSeen, version, ...row }: HeartbeatRow): Pick<NodeAnswer, 'lastSeenAt' | 'version' | 'heartbeat'> => {
  const { hostname, skewMs, ip, mac, load, memoryFree, running } = row;
  return { version, lastSeenAt: time(lastSeen), heartbeat: { hostname, skewMs, ip, mac, load, running, ...(memoryFree === null ? {} : { memoryFree }) } };
};

const presenceOf = (row: PresenceRow | undefined): Pick<NodeAnswer, 'presence'> & Partial<NodeAnswer> =>
  row === undefined
    ? { presence: 'never' }
    : {
        presence: row.status,
        presenceSince: time(row.since),
        ...(row.reason === null ? {} : { presenceReason: row.reason }),
        ...(row.duplicateHostname === null ? {} : { duplicateHostname: row.duplicateHostname }),
      };

const answerOf = (node: NodeRow, presence: PresenceRow | undefined, heartbeat: HeartbeatRow | undefined): NodeAnswer => {
  const { id, revision, name, labels, slots, drained, drainReason, addedAt, enrolledAt, hostname, platform, arch } = node;
  return {
    id, revision, name, labels, slots, drained, addedAt: time(addedAt), ...presenceOf(presence),
    ...(drainReason === null ? {} : { drainReason }),
    ...(enrolledAt === null ? {} : { enrolledAt: time(enrolledAt) }),
    ...(hostname !== null && platform !== null && arch !== null ? { host: { hostname, platform, arch } } : {}),
    ...(heartbeat ? heartbeatOf(heartbeat) : {}),
  };
};

/** Nodes as the interfaces show them. */
@Injectable()
export class NodeViews {
  constructor(
    @InjectRepository(NodeRow) private readonly nodes: Repository<NodeRow>,
    @InjectRepository(PresenceRow) private readonly presence: Repository<PresenceRow>,
    @InjectRepository(HeartbeatRow) private readonly heartbeats: Repository<HeartbeatRow>,
  ) {}

  /** One page, in order of the names. */
  async list(query: NodeQuery): Promise<Page<NodeAnswer>> {
    const rows = this.nodes.createQueryBuilder('n');
    if (query.name !== undefined) rows.andWhere('strpos(lower(n.name), lower(:part)) > 0', { part: query.name });
    if (query.drained !== undefined) rows.andWhere('n.drained = :drained', { drained: query.drained });
    if (query.label !== undefined) {
      const [key = '', ...value] = query.label.split('=');
      rows.andWhere('n.labels @> :label::jsonb', { label: JSON.stringify({ [key]: value.join('=') }) });
    }
    if (query.presence === 'never') rows.andWhere('not exists (select 1 from read.presence p where p.node = n.id)');
    else if (query.presence) rows.andWhere('exists (select 1 from read.presence p where p.node = n.id and p.status = :status)', { status: query.presence });
    const page = await paginate(rows, [{ property: 'name', direction: 'ASC' }, { property: 'id', direction: 'ASC' }], query);
    return { ...page, items: await this.complete(page.items) };
  }

  /** Throws `node-not-found`. */
  async show(id: string): Promise<NodeAnswer> {
    const row = await this.nodes.findOneBy({ id });
    const [answer] = row ? await this.complete([row]) : [];
    if (!answer) throw fault('not-found', 'node-not-found', 'There is no such node; list the nodes to see which there are');
    return answer;
  }

  private async complete(nodes: readonly NodeRow[]): Promise<NodeAnswer[]> {
    const ids = In(nodes.map(({ id }) => id));
    const [presence, heartbeats] = await Promise.all([
      this.presence.findBy({ node: ids }), this.heartbeats.find({ where: { node: ids }, order: { lastSeen: 'ASC' } }),
    ]);
    const present = new Map(presence.map((row) => [row.node, row]));
    const last = new Map(heartbeats.map((row) => [row.node, row]));
    return nodes.map((node) => answerOf(node, present.get(node.id), last.get(node.id)));
  }
}

