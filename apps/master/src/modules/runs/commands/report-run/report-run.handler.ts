import { Inject, Injectable } from '@nestjs/common';
import type { RunReport } from '#contracts';
import type { UnitOfWork } from '#event-store';
import { AppError, type Logger, type Refusal, type Result, err, fault, ok } from '#kernel';
import { LOGGER } from '../../../../platform/index.ts';
import { type RepositoryState, repositoryDecider } from '../../../repositories/index.ts';
import { Deciding } from '../../deciding.ts';
import type { ReportRun } from '../../domain/run.commands.ts';
import { runDecider } from '../../domain/run.decide.ts';
import { judgeReport } from '../../domain/run.judge.ts';
import { repositoryNodeOf, type SnapshotFacts } from '../../domain/run.plan.ts';
import { lastAttempt, type Attempt, type ExistingRun } from '../../domain/run.state.ts';
import { ADMISSION, type Admission, type AdmissionOutcome } from '../../ports.ts';
import { decideRun } from '../decide-run.ts';
import { DispatchRunHandler } from '../dispatch-run/dispatch-run.handler.ts';
import { reportCommand } from './report-command.ts';

/** What became of a report. */
export type ReportDecision = { readonly decision: 'accepted' | 'late' | 'repeat' } | { readonly decision: 'refused'; readonly refusal: Refusal };

/** How often a snapshot is checked again because a prune came between check and decision. */
const admissionRounds = 5;

/** A report that is to make a snapshot known; all others change nothing but the run. */
const provesSnapshot = ({ order }: ExistingRun, { outcome }: RunReport): boolean =>
  order.plan.kind === 'backup' && (outcome === 'succeeded' || outcome === 'partial');

interface Case {
  readonly id: string;
  readonly node: string;
  readonly report: RunReport;
  readonly run: ExistingRun;
  readonly attempt: Attempt;
  readonly late: boolean;
}

/** Hands what an agent says to the run's decider; a proposed snapshot passes admission first. */
@Injectable()
export class ReportRunHandler {
  constructor(
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
    @Inject(ADMISSION) private readonly admission: Admission,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Returns when it is decided. Throws retryable errors, after which the report is to be handed in again. */
  async decide(node: string, id: string, report: RunReport): Promise<ReportDecision> {
    const judged = await this.deciding.execute(`node:${node}`, (unit) => this.judge(unit, { id, node, report }));
    if (!judged.ok) return this.undecided({ id, node }, judged.error);
    const { value } = judged.value;
    return 'run' in value ? this.record(value) : value;
  }

  /** A report without a snapshot is decided at once; one with a snapshot is judged, so that only what may count is admitted. */
  private async judge(unit: UnitOfWork, { id, node, report }: Pick<Case, 'id' | 'node' | 'report'>): Promise<Result<ReportDecision | Case, Refusal>> {
    const { state: run } = await unit.load(runDecider, id);
    const judged = judgeReport(run, { node, attempt: report.attempt, claim: report.claim, outcome: report.outcome });
    if (judged.verdict === 'refuse') return err(judged.refusal);
    if (judged.verdict === 'repeat' || run.status === 'absent') return ok({ decision: 'repeat' });
    if (provesSnapshot(run, report)) return ok({ id, node, report, run, attempt: judged.attempt, late: judged.verdict === 'late' });
    const decided = await decideRun(unit, id, reportCommand(node, report, undefined, this.deciding.now()));
    return decided.ok ? ok({ decision: 'accepted' }) : decided;
  }

  private async record(item: Case): Promise<ReportDecision> {
    for (let round = 1; round <= admissionRounds; round++) {
      const repository = await this.deciding.repository(item.run.order.repository);
      const admission = await this.admit(item, repository);
      if (item.late && !admission.admitted) {
        return this.refused(item.id, item.node, { kind: 'refused', code: 'attempt-fenced', detail: 'The late snapshot is not complete; it is not recorded' });
      }
      const decided = await this.deciding.execute(`node:${item.node}`, (unit) => this.append(unit, item, { admission, repository }));
      if (decided.ok) {
        await this.endSuperseded(item);
        return { decision: item.late ? 'late' : 'accepted' };
      }
      if (decided.error.code !== 'admission-outdated') return this.undecided(item, decided.error);
    }
    throw fault('unavailable', 'admission-outdated', 'The repository changes faster than the snapshot can be checked; it is checked again later');
  }

  private undecided({ id, node }: Pick<Case, 'id' | 'node'>, refusal: Refusal): ReportDecision {
    if (refusal.kind === 'unavailable') throw new AppError(refusal);
    return this.refused(id, node, refusal);
  }

  private async admit({ run, attempt, report }: Case, { created }: RepositoryState): Promise<AdmissionOutcome> {
    if (!report.proposal) return { admitted: false, code: 'snapshot-missing', detail: 'The agent reported success without proposing a snapshot' };
    if (report.proposal.id !== attempt.snapshot) return { admitted: false, code: 'wrong-snapshot', detail: 'The proposed snapshot is not the one that the claim named' };
    return this.admission.admit({ order: run.order, attempt, report, ...(created ? { created } : {}) });
  }

  private async append(
    unit: UnitOfWork, item: Case, { admission, repository }: { admission: AdmissionOutcome; repository: RepositoryState },
  ): Promise<Result<unknown, Refusal>> {
    const command = reportCommand(item.node, item.report, admission, this.deciding.now());
    const recorded = await decideRun(unit, item.id, command);
    if (!recorded.ok || recorded.value.length === 0 || !command.snapshot) return recorded;
    return this.admitInto(unit, item, { snapshot: command.snapshot, command, repository });
  }

  private async admitInto(
    unit: UnitOfWork, { id, run }: Case, { snapshot, command, repository }: { snapshot: SnapshotFacts; command: ReportRun; repository: RepositoryState },
  ): Promise<Result<unknown, Refusal>> {
    const { plan, node, target } = run.order;
    const { object, repositoryId, idKeyId } = snapshot;
    return unit.decide(repositoryDecider, run.order.repository, {
      type: 'AdmitSnapshot', snapshot: snapshot.snapshot, object, run: id, attempt: command.attempt, repositoryId, idKeyId,
      checkedDeletions: repository.deletions, node: repositoryNodeOf(plan, node), target,
    });
  }

  /** A late success may have made a later attempt pointless: its agent learns at once, and at its next sync at the latest. */
  private async endSuperseded({ id, run, attempt }: Case): Promise<void> {
    const last = lastAttempt(run);
    if (!last || last.number === attempt.number || (last.status !== 'running' && last.status !== 'dispatched')) return;
    await this.dispatch.stop(id, run.order.node, last.number);
  }

  private refused(run: string, node: string, refusal: Refusal): ReportDecision {
    this.logger.warn('A report was refused', { run, node, code: refusal.code, detail: refusal.detail });
    return { decision: 'refused', refusal };
  }
}
