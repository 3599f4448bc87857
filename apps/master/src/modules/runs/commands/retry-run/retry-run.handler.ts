import { Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, ok } from '#kernel';
import { type CommandContext, Commands } from '../../../../platform/index.ts';
import { Deciding } from '../../deciding.ts';
import { parentDecider } from '../../domain/parent.decide.ts';
import { runDecider } from '../../domain/run.decide.ts';
import { isEnded, type RunState } from '../../domain/run.state.ts';
import { DispatchRunHandler } from '../dispatch-run/dispatch-run.handler.ts';
import { decideParent } from '../decide-parent.ts';
import { decideRun } from '../decide-run.ts';

/** Skipped is no failure: the task's own rules said so. */
const endedWithoutResult = (state: RunState): boolean =>
  isEnded(state) && state.snapshot === undefined && state.status !== 'succeeded' && state.status !== 'skipped';

/** Queues a run that ended without a result once more; of a parent run those children that did, or never began. */
@Injectable()
export class RetryRunHandler {
  constructor(
    private readonly commands: Commands,
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
  ) {}

  /** Throws `run-not-found`, `run-not-ended`, `run-has-result` and `task-running`. */
  async retry(context: CommandContext, id: string): Promise<void> {
    if ((await this.deciding.parent(id)).status !== 'absent') {
      await this.commands.execute(context, (unit) => this.ofParent(unit, id));
      return;
    }
    await this.commands.execute(context, (unit) => decideRun(unit, id, { type: 'RetryRun', now: this.deciding.now() }));
    const state = await this.deciding.run(id);
    if (state.status === 'queued') await this.dispatch.dispatch(id, state.order.node);
  }

  /** The children begin in passes of the masters, some in each batch. */
  private async ofParent(unit: UnitOfWork, id: string): Promise<Result<unknown, Refusal>> {
    const { state } = await unit.load(parentDecider, id);
    if (state.status === 'absent') return ok(undefined);
    const children = await Promise.all(state.children.map(async ({ run }) => ({ run, state: (await unit.load(runDecider, run)).state })));
    const runs = children.filter((child) => endedWithoutResult(child.state)).map(({ run }) => run);
    return decideParent(unit, id, { type: 'RetryParent', runs, now: this.deciding.now() }, 'skip');
  }
}
