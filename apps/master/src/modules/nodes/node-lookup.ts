import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { type Refusal, fault } from '#kernel';
import { PresenceRow } from '../presence/index.ts';
import { AgentVersions } from './agent-versions.ts';
import type { Labels } from './domain/node.events.ts';
import { NodeRow } from './read-models/node.entity.ts';

/** A node as other slices need to know it. */
export interface NodeView {
  readonly id: string;
  readonly name: string;
  readonly labels: Labels;
  /** Runs it may work on at once. */
  readonly slots: number;
  readonly drained: boolean;
  /** Out of service. */
  readonly disabled: boolean;
  readonly enrolled: boolean;
  /** age recipient of its agent; absent until it is enrolled. */
  readonly recipient?: string;
  readonly online: boolean;
  /** When it went offline; absent while it is there or was never seen. */
  readonly offlineSince?: Date;
  /** State directory that counts as the node's: claims of another one are refused. */
  readonly instance?: string;
  /** When its present keys enrolled. */
  readonly enrolledAt?: Date;
  /** Of its agent; absent until it has connected. */
  readonly version?: string;
  /** Why an agent of that version gets no work; absent when it does. */
  readonly gate?: Refusal;
}

/** The columns that a view is made of. */
type NodeColumns = Pick<NodeRow, 'id' | 'name' | 'labels' | 'slots' | 'drained' | 'disabled' | 'publicKey' | 'recipient' | 'enrolledAt'>;
type PresenceColumns = Pick<PresenceRow, 'status' | 'since' | 'instance' | 'version'>;

const viewOf = (node: NodeColumns, presence: PresenceColumns | undefined, gate: Refusal | undefined): NodeView => ({
  id: node.id,
  name: node.name,
  labels: node.labels,
  slots: node.slots,
  drained: node.drained,
  disabled: node.disabled,
  enrolled: node.publicKey !== null,
  online: presence !== undefined && presence.status !== 'offline',
  ...(presence?.status === 'offline' ? { offlineSince: presence.since } : {}),
  ...(node.recipient ? { recipient: node.recipient } : {}),
  ...(presence?.instance ? { instance: presence.instance } : {}),
  ...(node.enrolledAt ? { enrolledAt: node.enrolledAt } : {}),
  ...(presence?.version ? { version: presence.version } : {}),
  ...(gate ? { gate } : {}),
});

/** Reads nodes from the read models; as fresh as those. */
@Injectable()
export class NodeLookup {
  constructor(
    @InjectRepository(NodeRow) private readonly nodes: Repository<NodeRow>,
    @InjectRepository(PresenceRow) private readonly presence: Repository<PresenceRow>,
    private readonly versions: AgentVersions,
  ) {}

  /** Undefined for a node that was never added or is removed. */
  async find(id: string): Promise<NodeView | undefined> {
    // Asked several times for every run: one statement, without what an entity costs.
    const [row]: (NodeColumns & { [K in keyof PresenceColumns]: PresenceColumns[K] | null })[] = await this.nodes.query(
      `select n.id, n.name, n.labels, n.slots, n.drained, n.disabled, n.public_key as "publicKey", n.recipient, n.enrolled_at as "enrolledAt",
         p.status, p.since, p.instance, p.version
       from read.nodes n left join read.presence p on p.node = n.id where n.id = $1`, [id]);
    if (!row) return undefined;
    const { status, since, instance, version } = row;
    return viewOf(row, status && since ? { status, since, instance, version } : undefined, this.versions.gate(version));
  }

  /** Throws `node-not-found`. */
  async get(id: string): Promise<NodeView> {
    const node = await this.find(id);
    if (!node) throw fault('not-found', 'node-not-found', 'There is no such node; list the nodes to see which there are');
    return node;
  }

  /** Whether a heartbeat of this state directory of the node arrived after `since`. */
  async heard(id: string, instance: string, since: Date): Promise<boolean> {
    const rows: unknown[] = await this.nodes.query('select 1 from live.heartbeats where node = $1 and instance = $2 and last_seen > $3', [id, instance, since]);
    return rows.length > 0;
  }

  /** Names of all tasks for the node. The table is the slice of the tasks', which itself stands on this one. */
  async tasksOf(id: string): Promise<string[]> {
    const rows: { name: string }[] = await this.nodes.query('select name from read.tasks where $1 = any(nodes) order by name', [id]);
    return rows.map(({ name }) => name);
  }

  /** The nodes that bear all of these labels, in order of their ids. */
  async matching(labels: Labels): Promise<NodeView[]> {
    const rows: { id: string }[] = await this.nodes.query('select id from read.nodes where labels @> $1::jsonb', [JSON.stringify(labels)]);
    return rows.length === 0 ? [] : this.list(rows.map(({ id }) => id));
  }

  /** All nodes that are there, or those of `ids`; in order of their ids. */
  async list(ids?: readonly string[]): Promise<NodeView[]> {
    const where = ids ? { id: In(ids) } : {};
    const [nodes, presence] = await Promise.all([
      this.nodes.find({ where, order: { id: 'ASC' } }),
      this.presence.find({ where: ids ? { node: In(ids) } : {} }),
    ]);
    const byNode = new Map(presence.map((row) => [row.node, row]));
    return nodes.map((node) => {
      const row = byNode.get(node.id);
      return viewOf(node, row, this.versions.gate(row?.version));
    });
  }
}
