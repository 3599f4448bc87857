import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { HeartbeatRow, PresenceRow } from '../presence/index.ts';
import { NodesHttp } from './http/nodes.http.ts';
import { NodeCommands } from './node-commands.ts';
import { NodeLookup } from './node-lookup.ts';
import { NodeViews } from './node-views.ts';
import { NodeRow } from './read-models/node.entity.ts';

/** The protected hosts. */
@Module({
  imports: [TypeOrmModule.forFeature([NodeRow, PresenceRow, HeartbeatRow])],
  controllers: [NodesHttp],
  providers: [NodeCommands, NodeLookup, NodeViews],
  exports: [NodeCommands, NodeLookup, NodeViews],
})
export class NodesModule {}
