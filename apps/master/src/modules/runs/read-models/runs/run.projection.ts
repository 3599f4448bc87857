import type { RecordedEvent } from '#event-store';
import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import type { Reason, ReportedEnd, RunCancelled, RunEvent, RunRequested, RunStarted } from '../../domain/run.events.ts';
import type { RunStatus, TerminalStatus } from '../../domain/run.state.ts';
import type { ParentRunEvent } from '../../domain/parent.events.ts';
import { evolveParentRow, isParentEvent, parentEventTypes } from './parent-rows.ts';
import { type AttemptView, RunRow } from './run.entity.ts';

const date = (text: string | undefined): Date | null => (text === undefined ? null : new Date(parseTime(text)));

const requested = (data: RunRequested['data'], recorded: RecordedEvent): RunRow => ({
  id: recorded.aggregate.id, kind: data.plan.kind, status: 'queued', node: data.node, target: data.target, repository: data.repository,
  task: data.task ?? null, taskName: data.taskName ?? null, cause: data.cause, plan: data.plan,
  requestedBy: recorded.context.actor, requestedAt: new Date(parseTime(recorded.context.time)), scheduledFor: date(data.scheduledFor), notBefore: null,
  startedAt: null, endedAt: null, timeoutSeconds: data.timeoutSeconds, attempt: 0, dispatchedAt: null, deadline: null, instance: null, claim: null,
  attempts: [], code: null, detail: null, snapshot: null, statistics: null, phases: null, faults: null, faultCount: 0, revision: recorded.revision,
  parent: data.parent ?? null, away: data.away ?? null, mode: null, selector: null, childCount: null, childrenWaiting: null,
});

const attemptsWith = (row: RunRow, number: number, change: Partial<AttemptView>): AttemptView[] =>
  row.attempts.map((attempt) => (attempt.attempt === number ? { ...attempt, ...change } : attempt));

const released = { deadline: null, instance: null, claim: null } as const;

interface End {
  readonly status: TerminalStatus;
  readonly at: string;
  readonly attempt?: number;
  readonly reason?: Reason;
  readonly late?: boolean;
}

const ended = (row: RunRow, { status, at, attempt, reason, late }: End): RunRow => {
  const shown = { status, endedAt: at, ...(reason ? { code: reason.code, detail: reason.detail } : {}), ...(late ? { late } : {}) };
  const closed = row.attempts.map((view): AttemptView => {
    if (view.attempt === attempt) return { ...view, ...shown };
    return view.status === 'dispatched' || view.status === 'running' ? { ...view, status: 'superseded', endedAt: at } : view;
  });
  return { ...row, ...released, status, endedAt: date(at), attempts: closed, code: reason?.code ?? null, detail: reason?.detail ?? null };
};

const reported = (row: RunRow, end: End, data: ReportedEnd): RunRow => ({
  ...ended(row, { ...end, attempt: data.attempt, late: data.late }),
  statistics: data.statistics ?? null, phases: data.phases ? { ...data.phases } : null, faults: [...data.faults], faultCount: data.faultCount,
});

const started = (row: RunRow, data: RunStarted['data']): RunRow => ({
  ...row, status: 'running', startedAt: row.startedAt ?? date(data.time), deadline: date(data.deadline), instance: data.instance, claim: data.claim,
  attempts: attemptsWith(row, data.attempt, { status: 'running', startedAt: data.time, instance: data.instance }),
});

const waitingAgain = (row: RunRow, change: Partial<RunRow>): RunRow => ({ ...row, ...released, status: 'queued' satisfies RunStatus, ...change });

const cancelled = (row: RunRow, { attempt, code, detail }: RunCancelled['data'], at: string): RunRow => ended(row, {
  status: 'cancelled', at, ...(attempt === undefined ? {} : { attempt }), ...(code === undefined ? {} : { reason: { code, detail: detail ?? '' } }),
});

const evolveEnd = (row: RunRow, event: RunEvent, at: string): RunRow => {
  switch (event.type) {
    case 'RunSucceeded':
      return reported(row, { status: 'succeeded', at }, event.data);
    case 'RunPartiallySucceeded':
      return reported(row, { status: 'partial', at, reason: event.data }, event.data);
    case 'RunFailed':
      return reported(row, { status: 'failed', at, reason: event.data }, event.data);
    case 'RunSkipped':
      return ended(row, { status: 'skipped', at, reason: event.data, ...(event.data.attempt === undefined ? {} : { attempt: event.data.attempt }) });
    case 'RunCancelled':
      return cancelled(row, event.data, at);
    case 'RunGivenUp':
      return ended(row, { status: 'failed', at, reason: event.data });
    case 'RunTimedOut':
      return ended(row, { status: 'timed-out', at, attempt: event.data.attempt, reason: event.data });
    case 'RunLost':
      return ended(row, { status: 'lost', at, attempt: event.data.attempt, reason: event.data });
    default:
      return row;
  }
};

const evolveRow = (row: RunRow, event: Exclude<RunEvent, RunRequested>, at: string): RunRow => {
  switch (event.type) {
    case 'RunDispatched': {
      const view: AttemptView = { attempt: event.data.attempt, status: 'dispatched', dispatchedAt: at };
      return { ...row, status: 'dispatched', attempt: event.data.attempt, dispatchedAt: date(at), deadline: date(event.data.deadline), attempts: [...row.attempts, view] };
    }
    case 'RunReturned': {
      const { attempt, code, detail } = event.data;
      return waitingAgain(row, { attempts: attemptsWith(row, attempt, { status: 'returned', endedAt: at, code, detail }), code, detail });
    }
    case 'RunStarted':
      return started({ ...row, code: null, detail: null }, event.data);
    case 'RunCancelRequested':
      return { ...row, status: 'cancel-requested' };
    case 'RunRetried': {
      const { notBefore } = event.data;
      return waitingAgain(row, { notBefore: date(notBefore), endedAt: null, away: row.away && { ...row.away, since: notBefore } });
    }
    case 'SnapshotRecorded':
      return { ...row, snapshot: event.data.snapshot };
    case 'RunSucceeded':
    case 'RunPartiallySucceeded':
    case 'RunFailed':
    case 'RunSkipped':
    case 'RunCancelled':
    case 'RunTimedOut':
    case 'RunLost':
    case 'RunGivenUp':
      return evolveEnd(row, event, at);
    default:
      return unreachable(event, 'run event');
  }
};

/** Every run and parent run, as lists, screens and reconcilers see it. */
export const runRows = readModel<RunRow, RunEvent | ParentRunEvent>({
  name: 'runs',
  version: 2,
  entity: RunRow,
  handles: [
    'RunRequested', 'RunDispatched', 'RunReturned', 'RunStarted', 'RunSucceeded', 'RunPartiallySucceeded', 'RunFailed', 'RunSkipped',
    'RunCancelRequested', 'RunCancelled', 'RunTimedOut', 'RunLost', 'RunGivenUp', 'RunRetried', 'SnapshotRecorded', ...parentEventTypes,
  ],
  keys: (recorded) => [recorded.aggregate.id],
  evolve: (row, recorded) => {
    const { event, revision, context } = recorded;
    if (isParentEvent(event)) return evolveParentRow(row, { event, recorded });
    if (event.type === 'RunRequested') return requested(event.data, recorded);
    return row && { ...evolveRow(row, event, context.time), revision };
  },
});
