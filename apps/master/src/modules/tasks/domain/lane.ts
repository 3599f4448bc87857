import { defineEvents, type Decider, type DomainEvent } from '#event-store';
import { err, ok, refuse, unreachable } from '#kernel';

/** The run stands in the lane until it ends. */
export type LaneEntered = DomainEvent<'LaneEntered', { readonly run: string }>;
export type LaneLeft = DomainEvent<'LaneLeft', { readonly run: string }>;
export type LaneEvent = LaneEntered | LaneLeft;

/** Every version of these events. */
export const laneEventVersions = defineEvents<LaneEvent>({ LaneEntered: [], LaneLeft: [] });

/**
 * The runs of one task on one node that have not ended, oldest first: only the first may be dispatched. An aggregate of its own,
 * because starts and ends would otherwise conflict with edits of the task and change its ETag.
 */
export interface LaneState {
  readonly runs: readonly string[];
}

/** `overlap` says what a run that finds another one does. */
export type LaneCommand =
  | { readonly type: 'EnterLane'; readonly run: string; readonly overlap: 'skip' | 'queue' }
  | { readonly type: 'LeaveLane'; readonly run: string };

export const laneId = (task: string, node: string): string => `${task}-${node}`;

/** In place of a node: the lane of the parent runs of a task that chooses its nodes. */
export const parentLane = 'chosen';

export const laneDecider: Decider<LaneState, LaneCommand, LaneEvent> = {
  aggregate: 'lane',
  initialState: { runs: [] },
  evolve: (state, event) => {
    switch (event.type) {
      case 'LaneEntered':
        return { runs: [...state.runs, event.data.run] };
      case 'LaneLeft':
        return { runs: state.runs.filter((run) => run !== event.data.run) };
      default:
        return unreachable(event, 'lane event');
    }
  },
  decide: (command, state) => {
    const inside = state.runs.includes(command.run);
    switch (command.type) {
      case 'EnterLane':
        if (inside) return ok([]);
        if (state.runs.length > 0 && command.overlap === 'skip') {
          return err(refuse('conflict', 'task-running', `The task still runs on this node (${state.runs[0]}); wait for it or cancel it`));
        }
        return ok([{ type: 'LaneEntered', data: { run: command.run } }]);
      case 'LeaveLane':
        return ok(inside ? [{ type: 'LaneLeft', data: { run: command.run } }] : []);
      default:
        return unreachable(command, 'lane command');
    }
  },
};
