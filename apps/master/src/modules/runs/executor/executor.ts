import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { type RunReport, protocolVersion } from '#contracts';
import { type Clock, type Logger, controlNode, isAppError, messageOf } from '#kernel';
import { CLOCK, LOGGER } from '../../../platform/index.ts';
import { ClaimHandler } from '../asks/claim.handler.ts';
import type { HeldClaim } from '../asks/held-claim.ts';
import { ReportRunHandler } from '../commands/report-run/report-run.handler.ts';
import { dutyFailed, type DutyOrder, type DutyResult } from './duty-work.port.ts';
import { DutyWorks } from './duty-works.ts';
import { ExecutorInstance } from './executor-instance.ts';

/** An order to work on an attempt of a run of `node_control`, or to stop doing so. */
export interface ExecutorOrder {
  readonly run: string;
  readonly attempt: number;
  readonly stop: boolean;
}

const longestPauseMs = 30_000;

class Cancelled extends Error {}

/**
 * Does what no agent can do, through the same claims. A command is only a pointer: it is acked at once, and if this master dies
 * before or after the claim the run goes back to the queue.
 */
@Injectable()
export class Executor implements BeforeApplicationShutdown {
  private readonly atWork = new Map<string, { readonly end: AbortController; readonly done: Promise<void> }>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly claims: ClaimHandler,
    private readonly reports: ReportRunHandler,
    private readonly works: DutyWorks,
    private readonly self: ExecutorInstance,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Work at hand is dropped: another master takes it up. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('the master stops'));
    await Promise.all([...this.atWork.values()].map(({ done }) => done));
  }

  /** Begins or ends work and returns at once; an order that is known already changes nothing. */
  accept(order: ExecutorOrder): void {
    const key = `${order.run}.${order.attempt}`;
    const known = this.atWork.get(key);
    if (order.stop) {
      known?.end.abort(new Cancelled('the run was cancelled'));
      return;
    }
    if (known || this.stopping.signal.aborted) return;
    const end = new AbortController();
    const done = this.work(order, AbortSignal.any([end.signal, this.stopping.signal]))
      .catch((error: unknown) => this.logger.warn('Work of the masters was dropped; it is taken up again', { run: order.run, reason: messageOf(error) }))
      .finally(() => this.atWork.delete(key));
    this.atWork.set(key, { end, done });
  }

  private async work({ run, attempt }: ExecutorOrder, signal: AbortSignal): Promise<void> {
    await this.self.beat();
    const tether = this.self.tether();
    const claimed = await this.claims.claim(controlNode, { run, attempt, instance: this.self.name });
    if (!claimed.ok) {
      this.logger.debug('A run is not for this master', { run, attempt, code: claimed.error.code });
      return;
    }
    const result = await this.perform(claimed.value, { run, tether }, signal);
    this.stopping.signal.throwIfAborted();
    await this.report(run, { protocol: protocolVersion, attempt, claim: claimed.value.attempt.claim, ...result });
  }

  private async perform({ run: state, attempt }: HeldClaim, { run, tether }: Pick<DutyOrder, 'run' | 'tether'>, signal: AbortSignal): Promise<DutyResult> {
    const patience = new AbortController();
    const late = new AbortController();
    void this.clock.sleep(state.order.timeoutSeconds * 1000, patience.signal).then(() => late.abort(new Error('timed out')), () => undefined);
    try {
      return await this.works.perform({ run, tether, attempt: attempt.number, order: state.order }, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      this.stopping.signal.throwIfAborted();
      if (signal.reason instanceof Cancelled) return { outcome: 'cancelled', faults: [], faultCount: 0 };
      if (late.signal.aborted) return { ...dutyFailed('timed-out', `The attempt did not end within ${state.order.timeoutSeconds} s`), outcome: 'timed-out' };
      this.logger.error('Work of the masters failed', { run, reason: messageOf(error), ...(isAppError(error) ? {} : { stack: error instanceof Error ? error.stack : undefined }) });
      return isAppError(error) ? dutyFailed(error.code, error.detail) : dutyFailed('internal-error', 'The master failed on this; its log says why');
    } finally {
      patience.abort();
    }
  }

  /** Decides until it is decided: NATS or Postgres may be away for a while. */
  private async report(run: string, report: RunReport): Promise<void> {
    for (let pause = 500; ; pause = Math.min(pause * 2, longestPauseMs)) {
      try {
        await this.reports.decide(controlNode, run, report);
        return;
      } catch (error) {
        this.logger.warn('The end of a run could not be recorded yet', { run, reason: messageOf(error) });
        await this.clock.sleep(pause, this.stopping.signal);
      }
    }
  }
}
