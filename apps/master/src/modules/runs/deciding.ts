import { Inject, Injectable } from '@nestjs/common';
import type { CommandHandler, Decided, EventContext, UnitOfWork } from '#event-store';
import { type Clock, type IdSource, type Refusal, type Result, ok, rfc3339 } from '#kernel';
import { CLOCK, COMMAND_HANDLER, IDS } from '../../platform/index.ts';
import { type RepositoryState, repositoryDecider } from '../repositories/index.ts';
import { parentDecider } from './domain/parent.decide.ts';
import type { ParentState } from './domain/parent.state.ts';
import { runDecider } from './domain/run.decide.ts';
import type { RunState } from './domain/run.state.ts';

/**
 * Decides on behalf of the masters or of a node. Every pass is a command of its own: what makes it harmless is the decider, which
 * finds nothing left to do, and the expected sequence in which two masters meet.
 */
@Injectable()
export class Deciding {
  constructor(
    @Inject(COMMAND_HANDLER) private readonly handler: CommandHandler,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: IdSource,
  ) {}

  /** RFC 3339, the time of record of what is decided now. */
  now(): string {
    return rfc3339(this.clock.now());
  }

  /** RFC 3339, so many seconds from now. */
  inSeconds(seconds: number): string {
    return rfc3339(this.clock.now() + seconds * 1000);
  }

  /** As `CommandHandler.execute`; `actor` is `system:<duty>` or `node:<id>`. */
  execute<T>(actor: string, work: (unit: UnitOfWork) => Promise<Result<T, Refusal>>): Promise<Result<Decided<T>, Refusal>> {
    const context: EventContext = { time: this.now(), actor, commandId: this.ids.next('cmd') };
    return this.handler.execute(context, work);
  }

  /** The repository now, as fresh as an append. */
  async repository(id: string): Promise<RepositoryState> {
    const loaded = await this.execute('system:read', async (unit) => ok((await unit.load(repositoryDecider, id)).state));
    return loaded.ok ? loaded.value.value : repositoryDecider.initialState;
  }

  /** The parent run now, as fresh as an append. */
  async parent(id: string): Promise<ParentState> {
    const loaded = await this.execute('system:read', async (unit) => ok((await unit.load(parentDecider, id)).state));
    return loaded.ok ? loaded.value.value : parentDecider.initialState;
  }

  /** The run now, as fresh as an append. */
  async run(id: string): Promise<RunState> {
    const loaded = await this.execute('system:read', async (unit) => ok((await unit.load(runDecider, id)).state));
    return loaded.ok ? loaded.value.value : runDecider.initialState;
  }
}
