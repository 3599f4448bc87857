import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AgentWordRow } from './live/agent-word.entity.ts';
import { AgentWords } from './live/agent-words.ts';
import { DisconnectRow, HeartbeatRow } from './live/heartbeat.entity.ts';
import { ConnectionsSubscriber } from './processes/connections.subscriber.ts';
import { HeartbeatRows } from './processes/heartbeat-rows.ts';
import { HeartbeatsProcess } from './processes/heartbeats.process.ts';
import { LivenessProcess } from './processes/liveness.process.ts';
import { PresenceCommands } from './processes/presence-commands.ts';
import { PresenceRow } from './read-models/presence.entity.ts';

/** Whether the agents are there. */
@Module({
  imports: [TypeOrmModule.forFeature([PresenceRow, HeartbeatRow, DisconnectRow, AgentWordRow])],
  providers: [HeartbeatRows, PresenceCommands, HeartbeatsProcess, LivenessProcess, ConnectionsSubscriber, AgentWords],
  exports: [AgentWords],
})
export class PresenceModule {}
