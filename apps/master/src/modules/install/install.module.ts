import { Module } from '@nestjs/common';
import { AgentBuilds } from './agent-builds.ts';
import { AgentBuildsHttp } from './http/agent-builds.http.ts';

/** How the agent gets onto a host: its file and the script that installs it. */
@Module({
  controllers: [AgentBuildsHttp],
  providers: [AgentBuilds],
})
export class InstallModule {}
