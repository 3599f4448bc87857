import { Inject, Injectable } from '@nestjs/common';
import type { Answer, ClaimReference, SyncAnswer, SyncAsk } from '#contracts';
import { type Logger, parseTime } from '#kernel';
import { LOGGER } from '../../../platform/index.ts';
import { decideRun } from '../commands/decide-run.ts';
import { Deciding } from '../deciding.ts';
import { ABSENCES, type Absences, type DueRun, NODE_DIRECTORY, type NodeDirectory, RUN_ROWS, type RunRows, WAITING_REPORTS, type WaitingReports } from '../ports.ts';
import { answerFault, answerOk, holderOf, isRefusal } from './answers.ts';

/** An attempt is lost when its node has not named it at this many syncs in a row, over at least this many milliseconds. */
const lostAfterSyncs = 2;
const lostAfterMs = 30_000;
/** Milliseconds that the servers may need to cut off keys that were replaced. */
const revokedMs = 10_000;

/** "This is what I hold": says what to stop and what to report again, and finds attempts that nobody holds any more. */
@Injectable()
export class SyncHandler {
  constructor(
    private readonly deciding: Deciding,
    @Inject(RUN_ROWS) private readonly rows: RunRows,
    @Inject(ABSENCES) private readonly absences: Absences,
    @Inject(WAITING_REPORTS) private readonly waiting: WaitingReports,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
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

  private async findLost(node: string, { held, reporting, instance }: SyncAsk): Promise<void> {
    const named = [...held, ...reporting];
    for (const row of await this.rows.active(node)) {
      if (row.claim === undefined) continue;
      if (named.some((reference) => reference.run === row.id && reference.claim === row.claim)) await this.absences.clear(row.id, row.attempt);
      else if (await this.isOfFormerInstall(node, row, instance)) await this.lose(node, row, 'The host was installed anew; its former agent, which worked on the attempt, cannot come back');
      else if (await this.isMissing(row)) await this.lose(node, row, 'The agent no longer holds the attempt; its state directory was lost or replaced');
    }
  }

  /** Another state directory held it, and the node has enrolled with new keys since: the old ones are worthless, so there is nothing to wait for. */
  private async isOfFormerInstall(node: string, row: DueRun, asking: string): Promise<boolean> {
    if (row.instance === undefined || row.instance === asking) return false;
    const { enrolledAt } = (await this.nodes.find(node)) ?? {};
    if (enrolledAt === undefined || row.dispatchedAt >= enrolledAt) return false;
    // Heard of since, it enrolled anew itself and is the one to believe; who asks is a clone.
    return !(await this.nodes.heard(node, row.instance, enrolledAt + revokedMs));
  }

  private async isMissing({ id, attempt }: DueRun): Promise<boolean> {
    const now = parseTime(this.deciding.now());
    const { times, since } = await this.absences.missed(id, attempt, now);
    return times >= lostAfterSyncs && now - since >= lostAfterMs;
  }

  private async lose(node: string, { id, attempt, claim = '' }: DueRun, detail: string): Promise<void> {
    if (await this.waiting.has(node, id, { attempt, claim })) return;
    const lost = await this.deciding.execute('system:sync', (unit) =>
      decideRun(unit, id, { type: 'LoseRun', attempt, now: this.deciding.now(), code: 'not-held', detail }));
    this.logger.warn('An attempt is lost', { run: id, attempt, node, decided: lost.ok });
    await this.absences.clear(id, attempt);
  }
}
