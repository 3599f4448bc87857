import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { CONFIG, type MasterConfig } from '../../platform/index.ts';
import { AgentVersions } from './agent-versions.ts';

/** How many nodes there are, by presence, and of how many somebody should know something. Those out of service have no alarms. */
export interface FleetCounts {
  readonly nodes: number;
  readonly online: number;
  readonly suspect: number;
  readonly offline: number;
  readonly never: number;
  readonly drained: number;
  readonly disabled: number;
  /** With an agent whose version is outside the masters' window. */
  readonly outsideVersions: number;
  readonly clockSkewed: number;
  readonly duplicated: number;
  readonly upgradesFailed: number;
}

const byStatus = `
select count(*) as nodes, count(*) filter (where p.status = 'online') as online, count(*) filter (where p.status = 'suspect') as suspect,
  count(*) filter (where p.status = 'offline') as offline, count(*) filter (where p.status is null) as never,
  count(*) filter (where n.drained) as drained, count(*) filter (where n.disabled) as disabled,
  count(*) filter (where not n.disabled and p.duplicate is not null) as duplicated,
  count(*) filter (where not n.disabled and u.status = 'failed') as "upgradesFailed",
  count(*) filter (where not n.disabled and p.status <> 'offline' and exists (
    select 1 from live.heartbeats h where h.node = n.id and h.instance = p.instance and abs(h.skew_ms) > $1)) as "clockSkewed"
from read.nodes n left join read.presence p on p.node = n.id left join read.node_upgrades u on u.node = n.id`;

const byVersion = `
select p.version, count(*) as count from read.nodes n join read.presence p on p.node = n.id where not n.disabled and p.version is not null group by 1`;

/** Counts the fleet in the database. */
@Injectable()
export class FleetCounter {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly versions: AgentVersions,
    @Inject(CONFIG) private readonly config: Pick<MasterConfig, 'agents'>,
  ) {}

  /** As of the read models. */
  async count(): Promise<FleetCounts> {
    const [row]: Record<keyof FleetCounts, unknown>[] = await this.database.query(byStatus, [this.config.agents.clockSkew * 1000]);
    const versions: { version: string; count: unknown }[] = await this.database.query(byVersion);
    const outside = versions.filter(({ version }) => this.versions.gate(version)).reduce((sum, { count }) => sum + Number(count), 0);
    const counted = Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)])) as unknown as FleetCounts;
    return { ...counted, outsideVersions: outside };
  }
}
