import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { ReportRun } from './run.commands.ts';
import type { Reason, ReportedEnd, RunEvent, RunRetried } from './run.events.ts';
import { judgeReport } from './run.judge.ts';
import type { ExistingRun } from './run.state.ts';

const endOf = (command: ReportRun, late: boolean): ReportedEnd => ({
  attempt: command.attempt,
  claim: command.claim,
  late,
  faults: command.faults,
  faultCount: command.faultCount,
  ...(command.statistics ? { statistics: command.statistics } : {}),
  ...(command.phases ? { phases: command.phases } : {}),
});

const unexplained: Reason = { code: 'unexplained', detail: 'The agent gave no reason; see the log of the run' };

const recorded = (command: ReportRun, { order, attempts }: ExistingRun, late: boolean): readonly RunEvent[] => {
  const { attempt, claim, snapshot, outcome, statistics, now } = command;
  if (!snapshot) return [];
  const { node, target, repository, task, taskName } = order;
  const time = attempts.find((candidate) => candidate.number === attempt)?.time ?? now;
  const data = {
    attempt, claim, ...snapshot, node, target, repository, time, partial: outcome === 'partial', late,
    ...(task === undefined ? {} : { task }), ...(taskName === undefined ? {} : { taskName }), ...(statistics ? { statistics } : {}),
  };
  return [{ type: 'SnapshotRecorded', data }];
};

/** The events of an accepted report; a backup without an admitted snapshot has not succeeded. */
const accept = (command: ReportRun, state: ExistingRun, late: boolean, retry: readonly RunRetried[]): Result<readonly RunEvent[], Refusal> => {
  const end = endOf(command, late);
  const reason = command.reason ?? unexplained;
  const { attempt, claim, outcome } = command;
  const succeeds = outcome === 'succeeded' || outcome === 'partial';
  if (succeeds && state.order.plan.kind === 'backup' && !command.snapshot) {
    return err(refuse('refused', 'snapshot-missing', 'A backup succeeds with an admitted snapshot only'));
  }
  switch (outcome) {
    case 'succeeded':
      return ok([...recorded(command, state, late), { type: 'RunSucceeded', data: end }]);
    case 'partial':
      return ok([...recorded(command, state, late), { type: 'RunPartiallySucceeded', data: { ...end, ...reason } }]);
    case 'failed':
      return ok([{ type: 'RunFailed', data: { ...end, ...reason, again: retry.length > 0 } }, ...retry]);
    case 'timed-out':
      return ok([{ type: 'RunTimedOut', data: { attempt, ...reason, again: retry.length > 0 } }, ...retry]);
    case 'skipped':
      return ok([{ type: 'RunSkipped', data: { attempt, claim, ...reason } }]);
    case 'cancelled':
      return ok([{ type: 'RunCancelled', data: { attempt } }]);
    default:
      return unreachable(outcome, 'report outcome');
  }
};

/** Accepts, records as late, ignores a repeat, or refuses (`attempt-fenced` and others). `retry` follows a failure and a time limit that was reached. */
export const decideReport = (command: ReportRun, state: ExistingRun, retry: readonly RunRetried[]): Result<readonly RunEvent[], Refusal> => {
  const judged = judgeReport(state, command);
  switch (judged.verdict) {
    case 'repeat':
      return ok([]);
    case 'refuse':
      return err(judged.refusal);
    case 'accept':
    case 'late':
      if (command.snapshot && command.snapshot.snapshot !== judged.attempt.snapshot) {
        return err(refuse('refused', 'wrong-snapshot', 'The proposed snapshot is not the one that the claim named'));
      }
      return accept(command, state, judged.verdict === 'late', retry);
    default:
      return unreachable(judged, 'verdict');
  }
};
