import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import type { Metrics } from '#observability';
import type { Follower } from '#projections';
import { FOLLOWER, METRICS, Public } from '../../platform/index.ts';
import { FleetCounter } from '../nodes/index.ts';
import { ClaimsProcess } from '../credentials/index.ts';

interface Count {
  readonly label: string;
  readonly count: number;
}

/** The page that Prometheus reads; holds counts, no names. Keep it inside with the proxy in front where counts are secret. */
@ApiExcludeController()
@Public()
@Controller('metrics')
export class MetricsHttp {
  private readonly position;
  private readonly lag;
  private readonly nodes;
  private readonly runs;
  private readonly parents;
  private readonly alarms;
  private readonly servers;
  private readonly claimsAge;

  constructor(
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(FOLLOWER) private readonly follower: Follower,
    @InjectDataSource() private readonly database: DataSource,
    private readonly fleet: FleetCounter,
    private readonly claims: ClaimsProcess,
  ) {
    this.position = metrics.gauge({ name: 'holdfast_projection_position', help: 'Sequence up to which events are projected' });
    this.lag = metrics.gauge({ name: 'holdfast_projection_lag_events', help: 'Events that are not projected yet' });
    this.nodes = metrics.gauge({ name: 'holdfast_nodes', help: 'Nodes by presence', labels: ['presence'] });
    this.alarms = metrics.gauge({ name: 'holdfast_node_alarms', help: 'Nodes with an alarm, by its kind', labels: ['alarm'] });
    this.parents = metrics.gauge({ name: 'holdfast_parent_runs', help: 'Starts of tasks that choose their nodes, by status; their children are among the runs', labels: ['status'] });
    this.runs = metrics.gauge({ name: 'holdfast_runs', help: 'Runs by status', labels: ['status'] });
    this.servers = metrics.gauge({ name: 'holdfast_nats_servers', help: 'NATS servers by whether they hold the account claims, revocations among them', labels: ['claims'] });
    this.claimsAge = metrics.gauge({ name: 'holdfast_claims_age_seconds', help: 'Since this master last saw the account claims on every NATS server that answers' });
  }

  @Get()
  async show(@Res() response: Response): Promise<void> {
    this.position.set(this.follower.position);
    this.lag.set((await this.follower.lag()).events);
    this.nodes.reset();
    for (const { label, count } of await this.nodesByPresence()) this.nodes.set({ presence: label }, count);
    await this.showAlarms();
    this.runs.reset();
    this.parents.reset();
    for (const { label, parent, count } of await this.runsByStatus()) (parent ? this.parents : this.runs).set({ status: label }, count);
    for (const claims of ['current', 'behind', 'away'] as const) this.servers.set({ claims }, this.claims.coverage?.[claims].length ?? 0);
    this.claimsAge.set(this.claims.ageMs / 1000);
    response.type(this.metrics.contentType).send(await this.metrics.render());
  }

  private async showAlarms(): Promise<void> {
    const { outsideVersions, clockSkewed, duplicated, upgradesFailed } = await this.fleet.count();
    for (const [alarm, count] of Object.entries({ outsideVersions, clockSkewed, duplicated, upgradesFailed })) this.alarms.set({ alarm }, count);
  }

  private nodesByPresence(): Promise<Count[]> {
    return this.database.query(
      `select coalesce(p.status, 'never') as label, count(*) as count from read.nodes n left join read.presence p on p.node = n.id group by 1`);
  }

  private runsByStatus(): Promise<(Count & { readonly parent: boolean })[]> {
    return this.database.query('select status as label, mode is not null as parent, count(*) as count from read.runs group by 1, 2');
  }
}
