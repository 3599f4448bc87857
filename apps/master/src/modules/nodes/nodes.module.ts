import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AgentWordRow, HeartbeatRow, PresenceRow } from '../presence/index.ts';
import { UpgradeRow } from '../upgrades/index.ts';
import { AgentVersions } from './agent-versions.ts';
import { FleetCounter } from './fleet-counts.query.ts';
import { NodesHttp } from './http/nodes.http.ts';
import { NodeAlarms } from './node-alarms.ts';
import { NodeCommands } from './node-commands.ts';
import { NodeLookup } from './node-lookup.ts';
import { NodeViews } from './node-views.ts';
import { NodeRow } from './read-models/node.entity.ts';

/** The protected hosts. */
@Module({
  imports: [TypeOrmModule.forFeature([NodeRow, PresenceRow, HeartbeatRow, AgentWordRow, UpgradeRow])],
  controllers: [NodesHttp],
  providers: [AgentVersions, FleetCounter, NodeAlarms, NodeCommands, NodeLookup, NodeViews],
  exports: [AgentVersions, FleetCounter, NodeCommands, NodeLookup, NodeViews],
})
export class NodesModule {}
