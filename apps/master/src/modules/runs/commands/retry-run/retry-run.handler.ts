import { Injectable } from '@nestjs/common';
import { type CommandContext, Commands } from '../../../../platform/index.ts';
import { Deciding } from '../../deciding.ts';
import { DispatchRunHandler } from '../dispatch-run/dispatch-run.handler.ts';
import { decideRun } from '../decide-run.ts';

/** Queues a run that ended without a result once more. */
@Injectable()
export class RetryRunHandler {
  constructor(
    private readonly commands: Commands,
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
  ) {}

  /** Throws `run-not-found`, `run-not-ended`, `run-has-result` and `task-running`. */
  async retry(context: CommandContext, id: string): Promise<void> {
    await this.commands.execute(context, (unit) => decideRun(unit, id, { type: 'RetryRun', now: this.deciding.now() }));
    const state = await this.deciding.run(id);
    if (state.status === 'queued') await this.dispatch.dispatch(id, state.order.node);
  }
}
