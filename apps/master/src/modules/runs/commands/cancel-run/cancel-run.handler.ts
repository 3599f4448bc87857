import { Injectable } from '@nestjs/common';
import { type CommandContext, Commands } from '../../../../platform/index.ts';
import { Deciding } from '../../deciding.ts';
import { lastAttempt, type RunState } from '../../domain/run.state.ts';
import { DispatchRunHandler } from '../dispatch-run/dispatch-run.handler.ts';
import { decideParent } from '../decide-parent.ts';
import { decideRun } from '../decide-run.ts';

/** Cancels a run: at once where nobody works on it; otherwise the agent is told, and confirms. Of a parent run all children are. */
@Injectable()
export class CancelRunHandler {
  constructor(
    private readonly commands: Commands,
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
  ) {}

  /** Throws `run-not-found` and `run-ended`. */
  async cancel(context: CommandContext, id: string): Promise<void> {
    if ((await this.deciding.parent(id)).status !== 'absent') {
      await this.commands.execute(context, (unit) => decideParent(unit, id, { type: 'CancelParent' }));
      return;
    }
    const before = await this.deciding.run(id);
    await this.commands.execute(context, (unit) => decideRun(unit, id, { type: 'CancelRun' }));
    await this.tell(id, before);
  }

  /** For a child whose parent is cancelled; nothing when it has ended. */
  async ofParent(id: string): Promise<void> {
    const before = await this.deciding.run(id);
    const decided = await this.deciding.execute('system:placement', (unit) => decideRun(unit, id, { type: 'CancelRun' }));
    if (decided.ok && decided.value.events.length > 0) await this.tell(id, before);
  }

  private async tell(id: string, before: RunState): Promise<void> {
    const attempt = before.status === 'absent' ? undefined : lastAttempt(before);
    if (before.status === 'absent' || !attempt) return;
    if (attempt.status === 'dispatched' || attempt.status === 'running') await this.dispatch.stop(id, before.order.node, attempt.number);
  }
}
