import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result } from '#kernel';
import { laneDecider, laneId, parentLane } from '../../tasks/index.ts';
import { parentDecider, type ParentCommand } from '../domain/parent.decide.ts';
import type { ParentRunEvent } from '../domain/parent.events.ts';
import { isParentEnded, type ParentState } from '../domain/parent.state.ts';

/** A parent of `any` stands in the lane of its task until it ends; children of `all` stand in those of their nodes, each for itself. */
const standsInLane = (state: ParentState): boolean => state.status !== 'absent' && state.order.mode === 'any' && !isParentEnded(state);

/** Decides about a parent run, and in the same batch about its place in the lane of its task. Every change of a parent goes through here. */
export const decideParent = async (
  unit: UnitOfWork, id: string, command: ParentCommand, overlap: 'skip' | 'queue' = 'queue',
): Promise<Result<readonly ParentRunEvent[], Refusal>> => {
  const { state: before } = await unit.load(parentDecider, id);
  const decided = await unit.decide(parentDecider, id, command);
  if (!decided.ok || decided.value.length === 0) return decided;
  const { state: after } = await unit.load(parentDecider, id);
  if (after.status === 'absent' || standsInLane(before) === standsInLane(after)) return decided;
  const lane = laneId(after.order.task, parentLane);
  const settled = standsInLane(after)
    ? await unit.decide(laneDecider, lane, { type: 'EnterLane', run: id, overlap })
    : await unit.decide(laneDecider, lane, { type: 'LeaveLane', run: id });
  return settled.ok ? decided : settled;
};
