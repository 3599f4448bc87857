import { Inject, Injectable } from '@nestjs/common';
import { type Clock, type Logger, controlNode } from '#kernel';
import { CLOCK, LOGGER } from '../../../platform/index.ts';
import { DispatchRunHandler } from '../commands/dispatch-run/dispatch-run.handler.ts';
import { decideRun } from '../commands/decide-run.ts';
import { Deciding } from '../deciding.ts';
import { type DueRun, EXECUTORS, type Executors, NODE_DIRECTORY, type NodeDirectory, RUN_ROWS, type RunRows, WAITING_REPORTS, type WaitingReports } from '../ports.ts';

/** Milliseconds that the agent's own word about its timeout may take before the master decides without it. */
const timeoutGraceMs = 30_000;
/** Milliseconds between two reminders to stop. */
const stopAgainMs = 15_000;
/** A node that has been silent for so many milliseconds has lost its attempts; sooner when they are to be cancelled. */
const silentMs = 3_600_000;
const silentWhenCancelledMs = 300_000;

/** Ends what would otherwise be "running" for ever: timeouts, silent nodes, masters that died at work, cancels that were not heard. */
@Injectable()
export class SupervisionProcess {
  private readonly reminded = new Map<string, number>();

  constructor(
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
    @Inject(RUN_ROWS) private readonly rows: RunRows,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
    @Inject(EXECUTORS) private readonly executors: Executors,
    @Inject(WAITING_REPORTS) private readonly waiting: WaitingReports,
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
    if (await this.hasReported(row)) return;
    if (row.deadline + timeoutGraceMs <= now) return this.timeOut(row);
    const gone = row.node === controlNode ? await this.executorGone(row) : await this.nodeGone(row, now);
    if (gone !== undefined) return this.lose(row, gone);
    if (row.status === 'cancel-requested' && now - (this.reminded.get(row.id) ?? 0) >= stopAgainMs) {
      this.reminded.set(row.id, now);
      await this.dispatch.stop(row.id, row.node, row.attempt);
    }
  }

  /** What REPORTS holds is decided by its consumer, which knows more. */
  private async hasReported({ id, node, attempt, claim }: DueRun): Promise<boolean> {
    return claim !== undefined && this.waiting.has(node, id, { attempt, claim });
  }

  private async timeOut({ id, node, attempt }: DueRun): Promise<void> {
    const decided = await this.deciding.execute('system:supervision', (unit) => decideRun(unit, id, { type: 'TimeOutRun', attempt, now: this.deciding.now() }));
    if (decided.ok && decided.value.events.length > 0) await this.dispatch.stop(id, node, attempt);
  }

  private async nodeGone({ node, status }: DueRun, now: number): Promise<string | undefined> {
    const facts = await this.nodes.find(node);
    if (!facts) return 'The node was removed';
    const limit = status === 'cancel-requested' ? silentWhenCancelledMs : silentMs;
    if (facts.online || facts.offlineSince === undefined || now - facts.offlineSince < limit) return undefined;
    return `The node has been silent for ${Math.round(limit / 60_000)} minutes`;
  }

  private async executorGone({ instance }: DueRun): Promise<string | undefined> {
    return instance === undefined || (await this.executors.isAlive(instance)) ? undefined : 'The master that worked on it has ended';
  }

  private async lose({ id, attempt, node }: DueRun, detail: string): Promise<void> {
    await this.deciding.execute('system:supervision', (unit) =>
      decideRun(unit, id, { type: 'LoseRun', attempt, now: this.deciding.now(), code: 'node-silent', detail }));
    this.logger.warn('An attempt is given up as lost', { run: id, attempt, node, detail });
  }
}
