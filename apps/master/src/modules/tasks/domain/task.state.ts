import { unreachable } from '#kernel';
import type { TaskDefinition } from './task.definition.ts';
import type { TaskEvent } from './task.events.ts';

/** A task that exists, with or without its schedule resting. */
export interface ExistingTask {
  readonly status: 'active' | 'paused';
  readonly definition: TaskDefinition;
}
export type TaskState = { readonly status: 'absent' } | { readonly status: 'deleted'; readonly definition: TaskDefinition } | ExistingTask;

export const initialTask: TaskState = { status: 'absent' };

export const taskExists = (state: TaskState): state is ExistingTask => state.status === 'active' || state.status === 'paused';

/** Total: a change of a task that was never defined changes nothing. */
export const evolveTask = (state: TaskState, event: TaskEvent): TaskState => {
  if (event.type === 'TaskDefined') return { status: 'active', definition: event.data };
  if (state.status === 'absent') return state;
  switch (event.type) {
    case 'TaskChanged':
      return { ...state, definition: event.data };
    case 'TaskPaused':
      return { ...state, status: 'paused' };
    case 'TaskResumed':
      return { ...state, status: 'active' };
    case 'TaskDeleted':
      return { ...state, status: 'deleted' };
    default:
      return unreachable(event, 'task event');
  }
};
