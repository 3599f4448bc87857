import { Module } from '@nestjs/common';
import { EnrolmentModule } from '../enrolment/enrolment.module.ts';
import { NodesModule } from '../nodes/nodes.module.ts';
import { AgentBuilds } from './agent-builds.ts';
import { AgentBuildsHttp } from './http/agent-builds.http.ts';
import { InstallHttp } from './http/install.http.ts';

/** How the agent gets onto a host: its file and the script that installs it. */
@Module({
  imports: [EnrolmentModule, NodesModule],
  controllers: [AgentBuildsHttp, InstallHttp],
  providers: [AgentBuilds],
  exports: [AgentBuilds],
})
export class InstallModule {}
