import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { fault, rfc3339 } from '#kernel';
import { type Page, paginate } from '../../platform/index.ts';
import { AgentWordRow, HeartbeatRow, PresenceRow } from '../presence/index.ts';
import { UpgradeRow } from '../upgrades/index.ts';
import type { NodeAnswer, NodeQuery } from './http/node.dto.ts';
import { NodeAlarms } from './node-alarms.ts';
import { NodeRow } from './read-models/node.entity.ts';

const time = (date: Date): string => rfc3339(date.getTime());

/** Without what is null. */
const present = <T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };

const heartbeatOf = ({ lastSeen, version, ...row }: HeartbeatRow): Pick<NodeAnswer, 'lastSeenAt' | 'version' | 'heartbeat'> => {
  const { hostname, skewMs, ip, mac, load, running, memoryFree, memoryTotal, cpuPercent, diskFree, diskTotal } = row;
  const optional = present({ memoryFree, memoryTotal, cpuPercent, diskFree, diskTotal });
  return { version, lastSeenAt: time(lastSeen), heartbeat: { hostname, skewMs, ip, mac, load, running, ...optional } };
};

const presenceOf = (row: PresenceRow | undefined): Pick<NodeAnswer, 'presence'> & Partial<NodeAnswer> =>
  row === undefined
    ? { presence: 'never' }
    : { presence: row.status, presenceSince: time(row.since), ...present({ presenceReason: row.reason, duplicateHostname: row.duplicateHostname }) };

const hostOf = (node: NodeRow, word: AgentWordRow | undefined): Pick<NodeAnswer, 'host'> => {
  const { hostname, platform, arch } = node;
  const enrolled = hostname !== null && platform !== null && arch !== null ? { hostname, platform, arch, ...node.host } : undefined;
  const host = word?.host ?? enrolled;
  return host ? { host: { ...host } } : {};
};

const upgradeOf = (row: UpgradeRow | undefined, word: AgentWordRow | undefined): Pick<NodeAnswer, 'upgrade'> => {
  if (!row) return {};
  const { id, status, version, from, orderedAt, endedAt, code, detail } = row;
  const stage = status === 'ordered' && word?.upgrade?.id === id ? word.upgrade.stage : undefined;
  return { upgrade: { id, status, version, orderedAt: time(orderedAt), ...present({ from, stage, code, detail, endedAt: endedAt && time(endedAt) }) } };
};

/** All rows about one node. */
interface Rows {
  readonly node: NodeRow;
  readonly presence: PresenceRow | undefined;
  readonly heartbeat: HeartbeatRow | undefined;
  readonly word: AgentWordRow | undefined;
  readonly upgrade: UpgradeRow | undefined;
}

const answerOf = ({ node, presence, heartbeat, word, upgrade }: Rows): Omit<NodeAnswer, 'alarms'> => {
  const { id, revision, name, labels, slots, drained, drainReason, disabled, disabledReason, addedAt, enrolledAt } = node;
  return {
    id, revision, name, labels, slots, drained, disabled, addedAt: time(addedAt), ...presenceOf(presence),
    ...present({ drainReason, disabledReason, enrolledAt: enrolledAt && time(enrolledAt) }),
    ...hostOf(node, word),
    ...(heartbeat ? heartbeatOf(heartbeat) : {}),
    ...upgradeOf(upgrade, word),
  };
};

/** Nodes as the interfaces show them. */
@Injectable()
export class NodeViews {
  constructor(
    @InjectRepository(NodeRow) private readonly nodes: Repository<NodeRow>,
    @InjectRepository(PresenceRow) private readonly presence: Repository<PresenceRow>,
    @InjectRepository(HeartbeatRow) private readonly heartbeats: Repository<HeartbeatRow>,
    @InjectRepository(AgentWordRow) private readonly words: Repository<AgentWordRow>,
    @InjectRepository(UpgradeRow) private readonly upgrades: Repository<UpgradeRow>,
    private readonly alarms: NodeAlarms,
  ) {}

  /** One page, in order of the names. */
  async list(query: NodeQuery): Promise<Page<NodeAnswer>> {
    const rows = this.nodes.createQueryBuilder('n');
    if (query.name !== undefined) rows.andWhere('strpos(lower(n.name), lower(:part)) > 0', { part: query.name });
    if (query.drained !== undefined) rows.andWhere('n.drained = :drained', { drained: query.drained });
    if (query.disabled !== undefined) rows.andWhere('n.disabled = :disabled', { disabled: query.disabled });
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

  /** All nodes, in order of their names. */
  async every(): Promise<NodeAnswer[]> {
    return this.complete(await this.nodes.find({ order: { name: 'ASC', id: 'ASC' } }));
  }

  private async complete(nodes: readonly NodeRow[]): Promise<NodeAnswer[]> {
    const node = In(nodes.map(({ id }) => id));
    const [presence, heartbeats, words, upgrades] = await Promise.all([
      this.presence.findBy({ node }), this.heartbeats.find({ where: { node }, order: { lastSeen: 'ASC' } }), this.words.findBy({ node }), this.upgrades.findBy({ node }),
    ]);
    const byNode = <T extends { readonly node: string }>(rows: readonly T[]): Map<string, T> => new Map(rows.map((row) => [row.node, row]));
    const maps = { presence: byNode(presence), heartbeat: byNode(heartbeats), word: byNode(words), upgrade: byNode(upgrades) };
    return nodes.map((row) => this.answer({
      node: row, presence: maps.presence.get(row.id), heartbeat: maps.heartbeat.get(row.id), word: maps.word.get(row.id), upgrade: maps.upgrade.get(row.id),
    }));
  }

  private answer(rows: Rows): NodeAnswer {
    return { ...answerOf(rows), alarms: this.alarms.of({ ...rows, disabled: rows.node.disabled }) };
  }
}
