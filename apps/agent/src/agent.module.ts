import { type DynamicModule, Module } from '@nestjs/common';
import { AgentLifecycle } from './agent.lifecycle.ts';
import { Agent, type AgentParts } from './agent.ts';
import { CommandIntake } from './commands/command-intake.ts';
import { CommandsController } from './commands/commands.controller.ts';

/** One host's agent as a Nest microservice. */
@Module({})
export class AgentModule {
  static of(parts: AgentParts): DynamicModule {
    return {
      module: AgentModule,
      controllers: [CommandsController],
      providers: [
        { provide: Agent, useFactory: () => new Agent(parts) },
        { provide: CommandIntake, useFactory: (agent: Agent) => agent.intake, inject: [Agent] },
        AgentLifecycle,
      ],
    };
  }
}
