import { Inject, Injectable } from '@nestjs/common';
import type { Answer, ClaimReference, SyncAnswer, SyncAsk } from '#contracts';
import { type Clock, type Logger } from '#kernel';
import { CLOCK, LOGGER } from '../../../platform/index.ts';
import { decideRun } from '../commands/decide-run.ts';
import { Deciding } from '../deciding.ts';
import { ABSENCES, type Absences, type DueRun, RUN_ROWS, type RunRows, WAITING_REPORTS, type WaitingReports } from '../ports.ts';
import { answerFault, answerOk, holderOf, isRefusal } from './answers.ts';

/** An attempt is lost when its node has not named it at this many syncs in a row, over at least this many milliseconds. */
const lostAfterSyncs = 2;
const lostAfterMs = 30_000;

/** "This is what I hold": says what to stop and what to report again, and finds attempts that nobody holds any more. */
@Injectable()
export class SyncHandler {
  constructor(
    private readonly deciding: Deciding,
    @Inject(RUN_ROWS) private readonly rows: RunRows,
    @Inject(ABSENCES) private readonly absences: Absences,
    @Inject(WAITING_REPORTS) private readonly waiting: WaitingReports,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async answer(node: string, ask: SyncAsk): Promise<Answer<SyncAnswer>> {
    try {
      const stop: ClaimReference[] = [];
      const reportAgain: ClaimReference[] = [];
      for (const reference of ask.held) if (await this.mustStop(node, reference)) stop.push(reference);
      for (const reference of ask.reporting) if (await this.mustReport(node, reference)) reportAgain.push(reference);
      await this.findLost(node, ask);
      return answerOk(ask.id, { stop, reportAgain });
    } catch (error) {
      return answerFault(ask.id, error);
    }
  }

  private async mustStop(node: string, reference: ClaimReference): Promise<boolean> {
    const holder = holderOf(await this.deciding.run(reference.run), node, reference);
    return isRefusal(holder) || holder.run.status === 'cancel-requested';
  }

  /** Still undecided, and REPORTS does not hold it: the agent's first publish came to nothing. */
  private async mustReport(node: string, reference: ClaimReference): Promise<boolean> {
    const holder = holderOf(await this.deciding.run(reference.run), node, reference);
    return !isRefusal(holder) && !(await this.waiting.has(node, reference.run, reference));
  }

  private async findLost(node: string, { held, reporting }: SyncAsk): Promise<void> {
    const named = [...held, ...reporting];
    for (const row of await this.rows.active(node)) {
      if (row.claim === undefined) continue;
      if (named.some((reference) => reference.run === row.id && reference.claim === row.claim)) await this.absences.clear(row.id, row.attempt);
      else await this.missed(node, row, row.claim);
    }
  }

  private async missed(node: string, { id, attempt }: DueRun, claim: string): Promise<void> {
    const now = this.clock.now();
    const { times, since } = await this.absences.missed(id, attempt, now);
    if (times < lostAfterSyncs || now - since < lostAfterMs) return;
    if (await this.waiting.has(node, id, { attempt, claim })) return;
    const detail = 'The agent no longer holds the attempt; its state directory was lost or replaced';
    const lost = await this.deciding.execute('system:sync', (unit) =>
      decideRun(unit, id, { type: 'LoseRun', attempt, now: this.deciding.now(), code: 'not-held', detail }));
    this.logger.warn('An attempt is lost', { run: id, attempt, node, decided: lost.ok });
    await this.absences.clear(id, attempt);
  }
}
