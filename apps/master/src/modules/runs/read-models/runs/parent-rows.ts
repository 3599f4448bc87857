import type { RecordedEvent } from '#event-store';
import { parseTime, unreachable } from '#kernel';
import type { ParentRunEvent, ParentRunRequested } from '../../domain/parent.events.ts';
import type { RunEvent } from '../../domain/run.events.ts';
import type { RunRow } from './run.entity.ts';

export const parentEventTypes = [
  'ParentRunRequested', 'ChildRunsStarted', 'ChildRunPlaced', 'ParentRunCancelRequested', 'ParentRunRetried', 'ParentRunReopened', 'ParentRunEnded',
] as const satisfies readonly ParentRunEvent['type'][];

export const isParentEvent = (event: RunEvent | ParentRunEvent): event is ParentRunEvent => (parentEventTypes as readonly string[]).includes(event.type);

const requested = (data: ParentRunRequested['data'], { aggregate, context, revision }: RecordedEvent): RunRow => ({
  id: aggregate.id, kind: data.plan.kind, status: 'queued', node: null, target: data.target, repository: null, task: data.task, taskName: data.taskName,
  cause: data.cause, plan: data.plan, requestedBy: context.actor, requestedAt: new Date(parseTime(context.time)),
  scheduledFor: data.scheduledFor === undefined ? null : new Date(parseTime(data.scheduledFor)), notBefore: null, startedAt: null, endedAt: null,
  timeoutSeconds: data.timeoutSeconds, attempt: 0, dispatchedAt: null, deadline: null, instance: null, claim: null, attempts: [], code: null, detail: null,
  snapshot: null, statistics: null, phases: null, faults: null, faultCount: 0, parent: null, away: data.away,
  mode: data.mode, selector: { ...data.selector }, childCount: data.mode === 'any' ? 1 : data.children.length,
  childrenWaiting: data.mode === 'any' ? 1 : data.children.length, revision,
});

const open = { endedAt: null, code: null, detail: null } as const;

const evolveExisting = (row: RunRow, event: Exclude<ParentRunEvent, ParentRunRequested>, at: Date): RunRow => {
  switch (event.type) {
    case 'ChildRunsStarted':
      return { ...row, status: 'running', startedAt: row.startedAt ?? at, childrenWaiting: Math.max(0, (row.childrenWaiting ?? 0) - event.data.runs.length) };
    case 'ChildRunPlaced':
      return { ...row, status: 'running', startedAt: row.startedAt ?? at, childrenWaiting: 0 };
    case 'ParentRunCancelRequested':
      return { ...row, status: 'cancel-requested' };
    case 'ParentRunRetried':
      return {
        ...row, ...open, status: 'queued', away: row.away && { ...row.away, since: event.data.time },
        childrenWaiting: row.mode === 'any' ? 1 : event.data.runs.length,
      };
    case 'ParentRunReopened':
      return { ...row, ...open, status: row.status === 'cancel-requested' ? row.status : 'running' };
    case 'ParentRunEnded': {
      const { status, code, detail } = event.data;
      return { ...row, status, endedAt: at, code: code ?? null, detail: detail ?? null, childrenWaiting: 0 };
    }
    default:
      return unreachable(event, 'parent run event');
  }
};

/** The row of a parent run after the event. */
export const evolveParentRow = (
  row: RunRow | undefined, { event, recorded }: { readonly event: ParentRunEvent; readonly recorded: RecordedEvent },
): RunRow | undefined => {
  if (event.type === 'ParentRunRequested') return requested(event.data, recorded);
  return row && { ...evolveExisting(row, event, new Date(parseTime(recorded.context.time))), revision: recorded.revision };
};
