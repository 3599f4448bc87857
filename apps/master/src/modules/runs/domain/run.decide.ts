import type { Decider } from '#event-store';
import { err, ok, parseTime, refuse, rfc3339, unreachable, type Refusal, type Result } from '#kernel';
import type { CancelRun, ClaimRun, DispatchRun, LoseRun, MeetAbsence, RequestRun, RetryRun, ReturnRun, RunCommand, TimeOutRun } from './run.commands.ts';
import { absenceEnd, isNeverClaimed } from './run.absence.ts';
import type { RunEvent, RunRetried } from './run.events.ts';
import { decideReport } from './run.report.ts';
import { evolveRun, initialRun, isActive, isEnded, lastAttempt, type ExistingRun, type RunState } from './run.state.ts';

type Decision = Result<readonly RunEvent[], Refusal>;

const request = ({ order, skip }: RequestRun, state: RunState): Decision => {
  if (state.status !== 'absent') return ok([]);
  const requested: RunEvent = { type: 'RunRequested', data: order };
  return ok(skip ? [requested, { type: 'RunSkipped', data: { code: skip.code, detail: skip.detail } }] : [requested]);
};

const dispatch = ({ now, deadline }: DispatchRun, state: ExistingRun): Decision => {
  if (state.status !== 'queued') return err(refuse('conflict', 'run-not-queued', `The run is ${state.status}, not waiting`));
  if (state.notBefore !== undefined && parseTime(state.notBefore) > parseTime(now)) {
    return err(refuse('conflict', 'run-not-due', `The run waits until ${state.notBefore} before its next attempt`));
  }
  return ok([{ type: 'RunDispatched', data: { attempt: (lastAttempt(state)?.number ?? 0) + 1, deadline } }]);
};

const giveBack = ({ attempt, code, detail, online, now }: ReturnRun, state: ExistingRun): Decision => {
  if (state.status !== 'dispatched' || lastAttempt(state)?.number !== attempt) return ok([]);
  const returned: RunEvent = { type: 'RunReturned', data: { attempt, code, detail } };
  if (!online || !isNeverClaimed(state.order.away, now)) return ok([returned]);
  return ok([returned, { type: 'RunGivenUp', data: { code, detail: `${detail}; the task lets it wait no longer` } }]);
};

const stale = (detail: string): Decision => err(refuse('conflict', 'claim-stale', detail));

const claim = (command: ClaimRun, state: ExistingRun): Decision => {
  const current = lastAttempt(state);
  if (state.order.node !== command.node) return stale('The run belongs to another node; drop the command');
  if (!isActive(state) || current?.number !== command.attempt) return stale('The attempt is over or has been taken back; drop the command');
  if (current.status === 'running') {
    return current.instance === command.instance ? ok([]) : stale('Another instance of this node holds the attempt; drop the command');
  }
  const deadline = rfc3339(parseTime(command.now) + state.order.timeoutSeconds * 1000);
  const snapshot = state.order.plan.kind === 'backup' ? { snapshot: command.snapshot } : {};
  const { attempt, instance, generation } = command;
  return ok([{ type: 'RunStarted', data: { attempt, claim: command.claim, instance, time: command.now, deadline, generation, ...snapshot } }]);
};

const cancel = ({ reason }: CancelRun, state: ExistingRun): Decision => {
  const attempt = lastAttempt(state)?.number;
  switch (state.status) {
    case 'queued':
      return ok([{ type: 'RunCancelled', data: { ...reason } }]);
    case 'dispatched':
      return ok([{ type: 'RunCancelled', data: attempt === undefined ? { ...reason } : { attempt, ...reason } }]);
    case 'running':
      return ok(attempt === undefined ? [] : [{ type: 'RunCancelRequested', data: { attempt } }]);
    case 'cancel-requested':
    case 'cancelled':
      return ok([]);
    default:
      return err(refuse('conflict', 'run-ended', `The run has ended (${state.status}); there is nothing to cancel`));
  }
};

/** Failures that another attempt would meet again: what was verified is damaged whoever looks. */
const hopeless: readonly string[] = ['damage-found'];

/** Whether the run tries again by itself after one more failure: never a restore, never against a wish to cancel. */
const nextTry = (state: ExistingRun, now: string, code?: string): readonly RunRetried[] => {
  const { retries, plan } = state.order;
  if (code !== undefined && hopeless.includes(code)) return [];
  if (plan.kind === 'restore' || state.status === 'cancel-requested' || state.failures >= retries.max) return [];
  const notBefore = rfc3339(parseTime(now) + retries.delaySeconds * 1000);
  return [{ type: 'RunRetried', data: { notBefore, automatic: true } }];
};

const giveUp = (command: TimeOutRun | LoseRun, state: ExistingRun): Decision => {
  const current = lastAttempt(state);
  if (!isActive(state) || current?.status !== 'running' || current.number !== command.attempt) return ok([]);
  const { attempt, now } = command;
  const retried = nextTry(state, now);
  const again = retried.length > 0;
  if (command.type === 'LoseRun') {
    return ok([{ type: 'RunLost', data: { attempt, code: command.code, detail: command.detail, again } }, ...retried]);
  }
  if (parseTime(current.deadline) > parseTime(now)) return ok([]);
  const detail = `The attempt did not end within ${state.order.timeoutSeconds} s; raise the task's timeout if that is too short`;
  return ok([{ type: 'RunTimedOut', data: { attempt, code: 'timed-out', detail, again } }, ...retried]);
};

const meetAbsence = ({ now, code, detail }: MeetAbsence, state: ExistingRun): Decision => {
  if (state.status !== 'queued') return ok([]);
  const end = absenceEnd(state.order.away, now, { code, detail });
  if (!end) return ok([]);
  const begun = state.attempts.some((attempt) => attempt.claim !== undefined);
  return ok([{ type: end.skipped && !begun ? 'RunSkipped' : 'RunGivenUp', data: end.reason }]);
};

const retry = ({ now }: RetryRun, state: ExistingRun): Decision => {
  if (!isEnded(state)) return err(refuse('conflict', 'run-not-ended', `The run is ${state.status}; it can be retried when it has ended`));
  if (state.snapshot !== undefined || state.status === 'succeeded') {
    return err(refuse('conflict', 'run-has-result', 'The run has a result; start the task again for another one'));
  }
  return ok([{ type: 'RunRetried', data: { notBefore: now, automatic: false } }]);
};

const decideExisting = (command: Exclude<RunCommand, RequestRun>, state: ExistingRun): Decision => {
  switch (command.type) {
    case 'DispatchRun':
      return dispatch(command, state);
    case 'ReturnRun':
      return giveBack(command, state);
    case 'ClaimRun':
      return claim(command, state);
    case 'ReportRun':
      return decideReport(command, state, nextTry(state, command.now, command.reason?.code));
    case 'CancelRun':
      return cancel(command, state);
    case 'TimeOutRun':
    case 'LoseRun':
      return giveUp(command, state);
    case 'MeetAbsence':
      return meetAbsence(command, state);
    case 'RetryRun':
      return retry(command, state);
    default:
      return unreachable(command, 'run command');
  }
};

/** One run: from the request through its attempts to one truthful end. */
export const runDecider: Decider<RunState, RunCommand, RunEvent> = {
  aggregate: 'run',
  initialState: initialRun,
  evolve: evolveRun,
  decide: (command, state) => {
    if (command.type === 'RequestRun') return request(command, state);
    if (state.status === 'absent') return err(refuse('not-found', 'run-not-found', 'There is no such run; list them with GET /api/v1/runs'));
    return decideExisting(command, state);
  },
};
