import type { Decider } from '#event-store';
import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { TaskDefinition } from './task.definition.ts';
import type { TaskEvent } from './task.events.ts';
import { definitionFault } from './task.rules.ts';
import { evolveTask, initialTask, taskExists, type TaskState } from './task.state.ts';

export type TaskCommand =
  | { readonly type: 'DefineTask' | 'ChangeTask'; readonly definition: TaskDefinition }
  | { readonly type: 'PauseTask' | 'ResumeTask' | 'DeleteTask' };

type Decision = Result<readonly TaskEvent[], Refusal>;

const same = (a: TaskDefinition, b: TaskDefinition): boolean => JSON.stringify(a) === JSON.stringify(b);

const define = (definition: TaskDefinition, state: TaskState): Decision => {
  const fault = definitionFault(definition);
  if (fault) return err(fault);
  if (state.status === 'absent') return ok([{ type: 'TaskDefined', data: definition }]);
  return taskExists(state) && same(state.definition, definition)
    ? ok([])
    : err(refuse('conflict', 'task-exists', 'There is a task of this id already; change it instead'));
};

const change = (definition: TaskDefinition, state: TaskState): Decision => {
  const fault = definitionFault(definition);
  if (fault) return err(fault);
  return ok(taskExists(state) && same(state.definition, definition) ? [] : [{ type: 'TaskChanged', data: definition }]);
};

/** One task. What of it runs at the moment is not its affair but that of its lanes, so that a start never conflicts with an edit. */
export const taskDecider: Decider<TaskState, TaskCommand, TaskEvent> = {
  aggregate: 'task',
  initialState: initialTask,
  evolve: evolveTask,
  decide: (command, state): Decision => {
    if (command.type === 'DefineTask') return define(command.definition, state);
    if (state.status === 'deleted' && command.type === 'DeleteTask') return ok([]);
    if (!taskExists(state)) return err(refuse('not-found', 'task-not-found', 'There is no such task; list them with GET /api/v1/tasks'));
    switch (command.type) {
      case 'ChangeTask':
        return change(command.definition, state);
      case 'PauseTask':
        return ok(state.status === 'paused' ? [] : [{ type: 'TaskPaused', data: {} }]);
      case 'ResumeTask':
        return ok(state.status === 'active' ? [] : [{ type: 'TaskResumed', data: {} }]);
      case 'DeleteTask':
        return ok([{ type: 'TaskDeleted', data: {} }]);
      default:
        return unreachable(command.type, 'task command');
    }
  },
};
