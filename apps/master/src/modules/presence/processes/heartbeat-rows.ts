import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { DisconnectRow, HeartbeatRow } from '../live/heartbeat.entity.ts';

/** A heartbeat as it arrived. */
export type Beat = Omit<HeartbeatRow, 'firstSeen'>;

/** Two state directories that speak as one node at the same time. */
export interface Duplicate {
  readonly node: string;
  readonly older: string;
  readonly younger: HeartbeatRow;
}

const upsert = `
insert into live.heartbeats as h (node, instance, first_seen, last_seen, skew_ms, hostname, ip, mac, version, load, memory_free, memory_total, cpu_percent,
  disk_free, disk_total, slots, running)
select r.node, r.instance, r."lastSeen", r."lastSeen", r."skewMs", r.hostname, r.ip, r.mac, r.version, r.load, r."memoryFree", r."memoryTotal",
  r."cpuPercent", r."diskFree", r."diskTotal", r.slots, r.running
from jsonb_to_recordset($1::jsonb) as r(node text, instance text, "lastSeen" timestamptz, "skewMs" integer, hostname text, ip text, mac text,
  version text, load double precision, "memoryFree" bigint, "memoryTotal" bigint, "cpuPercent" double precision, "diskFree" bigint,
  "diskTotal" bigint, slots integer, running integer)
on conflict (node, instance) do update set
  last_seen = excluded.last_seen, skew_ms = excluded.skew_ms, hostname = excluded.hostname, ip = excluded.ip, mac = excluded.mac,
  version = excluded.version, load = excluded.load, memory_free = excluded.memory_free,
  memory_total = excluded.memory_total, cpu_percent = excluded.cpu_percent, disk_free = excluded.disk_free, disk_total = excluded.disk_total, slots = excluded.slots, running = excluded.running
where excluded.last_seen >= h.last_seen`;

/** The last heartbeats and disconnects, in the schema `live`: overwritten, never rebuilt. */
@Injectable()
export class HeartbeatRows {
  constructor(
    @InjectRepository(HeartbeatRow) private readonly beats: Repository<HeartbeatRow>,
    @InjectRepository(DisconnectRow) private readonly disconnects: Repository<DisconnectRow>,
  ) {}

  /** Keeps the last heartbeat of each state directory; one statement for all of them. */
  async keep(beats: readonly Beat[]): Promise<void> {
    if (beats.length > 0) await this.beats.query(upsert, [JSON.stringify(beats)]);
  }

  /** When each of the nodes was last heard of; all nodes without `nodes`. */
  async lastSeen(nodes?: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    const rows = await this.beats.find({ where: nodes ? { node: In(nodes) } : {}, order: { lastSeen: 'ASC' }, select: { node: true, instance: true, lastSeen: true } });
    return new Map(rows.map(({ node, lastSeen }) => [node, lastSeen]));
  }

  /** Nodes of which an older state directory was heard after a younger one had appeared, both since `since`. */
  async duplicates(nodes: readonly string[], since: Date): Promise<Duplicate[]> {
    const rows = await this.beats.find({ where: { node: In(nodes) }, order: { firstSeen: 'ASC', instance: 'ASC' } });
    const found: Duplicate[] = [];
    for (const younger of rows) {
      const older = rows.find((row) => row.node === younger.node && row.firstSeen < younger.firstSeen && row.lastSeen > younger.firstSeen && row.lastSeen >= since);
      if (older && younger.lastSeen >= since) found.push({ node: younger.node, older: older.instance, younger });
    }
    return found;
  }

  /** The bus said that the node's connection ended. */
  async disconnected(row: DisconnectRow): Promise<void> {
    await this.disconnects.upsert(row, ['node']);
  }

  /** The node is heard of again. */
  async connected(nodes: readonly string[]): Promise<void> {
    if (nodes.length > 0) await this.disconnects.delete({ node: In(nodes) });
  }

  /** Connections that ended before `before` and whose nodes were not heard of since. */
  async gone(before: Date): Promise<DisconnectRow[]> {
    return this.disconnects.createQueryBuilder('d').where('d.at <= :before', { before }).getMany();
  }
}
