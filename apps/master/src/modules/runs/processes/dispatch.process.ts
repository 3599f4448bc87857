import { Inject, Injectable } from '@nestjs/common';
import { type Clock, type Logger } from '#kernel';
import { CLOCK, LOGGER } from '../../../platform/index.ts';
import { DispatchRunHandler, isAbsence } from '../commands/dispatch-run/dispatch-run.handler.ts';
import { decideRun } from '../commands/decide-run.ts';
import { TakeBackHandler } from '../commands/take-back/take-back.handler.ts';
import { Deciding } from '../deciding.ts';
import { type DueRun, RUN_ROWS, type RunRows } from '../ports.ts';

/** Milliseconds after which a command that was not claimed is sent again, and between two such sendings. */
const resendMs = 15_000;
const batch = 20_000;
/** Milliseconds that a new run is left to the master that requested it and sends it at once: two senders only hold each other up. */
const senderMs = 2_000;

/** Sends what waits, sends again what may not have arrived, and takes back what nobody claimed. */
@Injectable()
export class DispatchProcess {
  private readonly resent = new Map<string, number>();

  constructor(
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
    private readonly unclaimed: TakeBackHandler,
    @Inject(RUN_ROWS) private readonly rows: RunRows,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One pass of the duty. */
  async pass(): Promise<void> {
    const now = this.clock.now();
    const dispatched = (await this.rows.active()).filter((row) => row.status === 'dispatched');
    for (const row of dispatched) await this.follow(row, now);
    this.forget(dispatched);
    const due = (await this.rows.queued(now, batch)).filter((row) => row.attempt > 0 || now - row.requestedAt >= senderMs);
    const queued = Map.groupBy(due, (row) => row.node);
    for (const [node, rows] of queued) await this.send(node, rows);
  }

  /** What stands in the way of a node stands in the way of all its runs: it is looked at once a pass, so that none starves another. */
  private async send(node: string, rows: readonly DueRun[]): Promise<void> {
    let away = false;
    for (const { id, absenceDue } of rows) {
      // Of a node that is away only those are looked at that the rule of their task ends now.
      if (away && (absenceDue === undefined || absenceDue > this.clock.now())) continue;
      const outcome = await this.dispatch.dispatch(id, node);
      if (outcome.dispatched) continue;
      this.logger.debug('A run waits', { run: id, code: outcome.waiting.code });
      const { code } = outcome.waiting;
      if (code === 'node-removed') await this.drop(id);
      else if (code === 'no-free-slot') return;
      away ||= isAbsence(code);
    }
  }

  /** Nobody will ever do it. */
  private async drop(id: string): Promise<void> {
    const reason = { code: 'node-removed', detail: 'The node was removed before the run began' };
    await this.deciding.execute('system:dispatch', (unit) => decideRun(unit, id, { type: 'CancelRun', reason }));
  }

  private async follow(row: DueRun, now: number): Promise<void> {
    if (row.deadline <= now) return this.unclaimed.takeBack(row);
    if (now - (this.resent.get(row.id) ?? row.dispatchedAt) < resendMs) return;
    this.resent.set(row.id, now);
    // Counted from the dispatch, so that every master, also one that has just started, has the same number at the same time.
    await this.dispatch.sendAgain(row.id, Math.floor((now - row.dispatchedAt) / resendMs));
  }

  private forget(dispatched: readonly DueRun[]): void {
    const known = new Set(dispatched.map((row) => row.id));
    for (const id of this.resent.keys()) if (!known.has(id)) this.resent.delete(id);
  }
}
