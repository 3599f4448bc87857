import { defineEvents, type DomainEvent } from '#event-store';
import type { TaskDefinition } from './task.definition.ts';

/** Version 1 named the nodes, and waited for those that were away as long as it took. */
const placed = (data: object): object => {
  const { nodes, ...rest } = data as { readonly nodes: readonly string[] };
  return { ...rest, placement: { nodes, offline: 'wait' } };
};

export type TaskDefined = DomainEvent<'TaskDefined', TaskDefinition>;
/** The whole new definition. */
export type TaskChanged = DomainEvent<'TaskChanged', TaskDefinition>;
/** Its schedule rests; a start by hand is still possible. */
export type TaskPaused = DomainEvent<'TaskPaused', Record<string, never>>;
/** The schedule goes on: what was missed while paused is not made up for. */
export type TaskResumed = DomainEvent<'TaskResumed', Record<string, never>>;
export type TaskDeleted = DomainEvent<'TaskDeleted', Record<string, never>>;

export type TaskEvent = TaskDefined | TaskChanged | TaskPaused | TaskResumed | TaskDeleted;

/** Every version of these events. */
export const taskEventVersions = defineEvents<TaskEvent>({
  TaskDefined: [placed], TaskChanged: [placed], TaskPaused: [], TaskResumed: [], TaskDeleted: [],
});
