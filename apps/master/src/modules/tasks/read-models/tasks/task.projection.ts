import type { DomainEvent } from '#event-store';
import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import { laneId, parentLane } from '../../domain/lane.ts';
import type { TaskDefinition } from '../../domain/task.definition.ts';
import { namedNodes, selects } from '../../domain/task.placement.ts';
import type { TaskEvent } from '../../domain/task.events.ts';
import { TaskLaneRow, TaskRow } from './task.entity.ts';

const defined = (definition: TaskDefinition) => ({
  name: definition.name, target: definition.target, nodes: [...namedNodes(definition.placement)], definition, scheduled: definition.schedule !== undefined,
});

/** What of the placement makes other lanes. */
const targetsOf = ({ placement }: TaskDefinition) => (selects(placement) ? [placement.selector, placement.mode] : placement.nodes);

const sameSchedule = (a: TaskDefinition, b: TaskDefinition): boolean =>
  JSON.stringify([a.schedule, targetsOf(a)]) === JSON.stringify([b.schedule, targetsOf(b)]);

const evolveRow = (row: TaskRow, event: Exclude<TaskEvent, { type: 'TaskDefined' }>, at: Date): TaskRow | undefined => {
  switch (event.type) {
    case 'TaskChanged':
      return { ...row, ...defined(event.data), changedAt: at, scheduleSince: sameSchedule(row.definition, event.data) ? row.scheduleSince : at };
    case 'TaskPaused':
      return { ...row, paused: true, changedAt: at };
    case 'TaskResumed':
      return { ...row, paused: false, changedAt: at, scheduleSince: at };
    case 'TaskDeleted':
      return undefined;
    default:
      return unreachable(event, 'task event');
  }
};

/** Tasks as lists, screens and the scheduler see them. */
export const taskRows = readModel<TaskRow, TaskEvent>({
  name: 'tasks',
  version: 2,
  entity: TaskRow,
  handles: ['TaskDefined', 'TaskChanged', 'TaskPaused', 'TaskResumed', 'TaskDeleted'],
  keys: ({ aggregate }) => [aggregate.id],
  evolve: (row, { event, aggregate, context, revision }) => {
    const at = new Date(parseTime(context.time));
    if (event.type === 'TaskDefined') {
      return { id: aggregate.id, ...defined(event.data), paused: false, scheduleSince: at, createdAt: at, changedAt: at, revision };
    }
    const next = row && evolveRow(row, event, at);
    return next && { ...next, revision };
  },
});

/** The part of `RunRequested` and `ParentRunRequested` that the scheduler reads. */
type ScheduledRun = DomainEvent<'RunRequested' | 'ParentRunRequested', { readonly task?: string; readonly node?: string; readonly scheduledFor?: string }>;

/** How far the schedule of each task has been turned into runs: by node, or of a task that chooses its nodes as a whole. */
export const taskLaneRows = readModel<TaskLaneRow, ScheduledRun>({
  name: 'task-lanes',
  version: 2,
  entity: TaskLaneRow,
  handles: ['RunRequested', 'ParentRunRequested'],
  keys: ({ event: { data } }) => (data.task !== undefined && data.scheduledFor !== undefined ? [laneId(data.task, data.node ?? parentLane)] : []),
  evolve: (row, { event: { data } }, key) => {
    const instant = new Date(parseTime(data.scheduledFor ?? ''));
    return { id: key, task: data.task ?? '', scheduledUpTo: row && row.scheduledUpTo > instant ? row.scheduledUpTo : instant };
  },
});
