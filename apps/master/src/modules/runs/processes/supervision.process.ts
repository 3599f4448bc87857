import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Logger } from '#kernel';
import { CLOCK, LOGGER } from '../../../platform/index.ts';
import { DispatchRunHandler } from '../commands/dispatch-run/dispatch-run.handler.ts';
import { decideRun } from '../commands/decide-run.ts';
import { Deciding } from '../deciding.ts';
import { type DueRun, RUN_ROWS, type RunRows } from '../ports.ts';
import { AttemptLiveness } from './attempt-liveness.ts';

/** Milliseconds that the agent's own word about its timeout may take before the master decides without it. */
const timeoutGraceMs = 30_000;
/** Milliseconds between two reminders to stop. */
const stopAgainMs = 15_000;

/** Ends what would otherwise be "running" for ever: timeouts, silent nodes, masters that died at work, cancels that were not heard. */
@Injectable()
export class SupervisionProcess {
  private readonly reminded = new Map<string, number>();

  constructor(
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
    @Inject(RUN_ROWS) private readonly rows: RunRows,
    private readonly liveness: AttemptLiveness,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One pass of the duty. */
  async pass(): Promise<void> {
    const now = this.clock.now();
    const claimed = (await this.rows.active()).filter((row) => row.status !== 'dispatched');
    for (const row of claimed) await this.check(row, now);
    const known = new Set(claimed.map((row) => row.id));
    for (const id of this.reminded.keys()) if (!known.has(id)) this.reminded.delete(id);
  }

  private async check(row: DueRun, now: number): Promise<void> {
    if (await this.liveness.hasReported(row)) return;
    if (row.deadline + timeoutGraceMs <= now) return this.timeOut(row);
    const gone = await this.liveness.whyGone(row, now);
    if (gone !== undefined) return this.lose(row, gone);
    if (row.status === 'cancel-requested' && now - (this.reminded.get(row.id) ?? 0) >= stopAgainMs) {
      this.reminded.set(row.id, now);
      await this.dispatch.stop(row.id, row.node, row.attempt, Math.floor(now / stopAgainMs));
    }
  }

  private async timeOut({ id, node, attempt }: DueRun): Promise<void> {
    const decided = await this.deciding.execute('system:supervision', (unit) => decideRun(unit, id, { type: 'TimeOutRun', attempt, now: this.deciding.now() }));
    if (decided.ok && decided.value.events.length > 0) await this.dispatch.stop(id, node, attempt);
  }

  private async lose({ id, attempt, node }: DueRun, detail: string): Promise<void> {
    await this.deciding.execute('system:supervision', (unit) =>
      decideRun(unit, id, { type: 'LoseRun', attempt, now: this.deciding.now(), code: 'node-silent', detail }));
    this.logger.warn('An attempt is given up as lost', { run: id, attempt, node, detail });
  }
}
