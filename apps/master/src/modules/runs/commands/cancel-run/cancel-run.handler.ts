import { Injectable } from '@nestjs/common';
import { type CommandContext, Commands } from '../../../../platform/index.ts';
import { Deciding } from '../../deciding.ts';
import { lastAttempt } from '../../domain/run.state.ts';
import { DispatchRunHandler } from '../dispatch-run/dispatch-run.handler.ts';
import { decideRun } from '../decide-run.ts';

/** Cancels a run: at once where nobody works on it; otherwise the agent is told, and confirms. */
@Injectable()
export class CancelRunHandler {
  constructor(
    private readonly commands: Commands,
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
  ) {}

  /** Throws `run-not-found` and `run-ended`. */
  async cancel(context: CommandContext, id: string): Promise<void> {
    const before = await this.deciding.run(id);
    await this.commands.execute(context, (unit) => decideRun(unit, id, { type: 'CancelRun' }));
    const attempt = before.status === 'absent' ? undefined : lastAttempt(before);
    if (before.status === 'absent' || !attempt) return;
    if (attempt.status === 'dispatched' || attempt.status === 'running') await this.dispatch.stop(id, before.order.node, attempt.number);
  }
}
