/** Tasks: what to back up, from where, when, to which target; and the lanes in which their runs stand. */
export { type TaskEvent, taskEventVersions } from './domain/task.events.ts';
export type { Retention, Schedule, TaskDefinition } from './domain/task.definition.ts';
export { type OfflinePolicy, type OfflineRule, type PlacementMode, type SelectedNodes, type Selector, type TaskPlacement, namedNodes, selects } from './domain/task.placement.ts';
export { type ExistingTask, type TaskState, taskExists } from './domain/task.state.ts';
export { type TaskCommand, taskDecider } from './domain/task.decide.ts';
export { type LaneCommand, type LaneEvent, type LaneState, laneDecider, laneEventVersions, laneId, parentLane } from './domain/lane.ts';
export { TaskLaneRow, TaskRow } from './read-models/tasks/task.entity.ts';
export { taskLaneRows, taskRows } from './read-models/tasks/task.projection.ts';
