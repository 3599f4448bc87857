import { Inject, Injectable } from '@nestjs/common';
import type { Refusal } from '#kernel';
import { CONFIG, type MasterConfig } from '../../platform/index.ts';
import { version } from '../../platform/version.ts';
import { type AgentWindow, gateOf } from './domain/agent-window.ts';

/** The oldest agent that this master can speak with. */
const oldestAgent = '0.1.0';

/** Which versions of agents get work from this master. */
@Injectable()
export class AgentVersions {
  readonly window: AgentWindow;

  constructor(@Inject(CONFIG) { agents }: Pick<MasterConfig, 'agents'>) {
    this.window = { oldest: agents.versionMin ?? oldestAgent, newest: agents.versionMax ?? version.split('.', 2).join('.') };
  }

  /** Why an agent of this version gets no work; undefined when it does, or has not said its version. */
  gate(agent: string | null | undefined): Refusal | undefined {
    return gateOf(agent ?? undefined, this.window);
  }
}
