import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Agent } from './agent.ts';

/** Ties the agent's loops to the application's: they begin before the first command and end after the last. */
@Injectable()
export class AgentLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly agent: Agent) {}

  onApplicationBootstrap(): void {
    this.agent.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.stop();
  }
}
