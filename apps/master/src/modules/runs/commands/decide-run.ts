import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, ok } from '#kernel';
import { repositoryDecider } from '../../repositories/index.ts';
import { laneDecider, laneId } from '../../tasks/index.ts';
import { decideParent } from './decide-parent.ts';
import { runDecider } from '../domain/run.decide.ts';
import type { RunCommand } from '../domain/run.commands.ts';
import type { RunEvent } from '../domain/run.events.ts';
import { leaseModeOf, repositoryNodeOf } from '../domain/run.plan.ts';
import { isActive, isEnded, type ExistingRun, type RunState } from '../domain/run.state.ts';

const isOpen = (state: RunState): boolean => state.status === 'queued' || isActive(state);

/** A lease is held exactly while an attempt is under way. */
const settleLease = async (unit: UnitOfWork, id: string, before: RunState, after: ExistingRun): Promise<Result<unknown, Refusal>> => {
  const { repository, target, plan, node } = after.order;
  if (isActive(before) === isActive(after)) return ok(undefined);
  if (!isActive(after)) return unit.decide(repositoryDecider, repository, { type: 'ReleaseLease', run: id });
  return unit.decide(repositoryDecider, repository, { type: 'TakeLease', run: id, mode: leaseModeOf(plan.kind), node: repositoryNodeOf(plan, node), target });
};

/** A run of a task stands in its lane exactly until it ends. */
const settleLane = async (
  unit: UnitOfWork, id: string, states: readonly [RunState, ExistingRun], overlap: 'skip' | 'queue',
): Promise<Result<unknown, Refusal>> => {
  const [before, after] = states;
  const { task, node } = after.order;
  if (task === undefined || isOpen(before) === isOpen(after)) return ok(undefined);
  const lane = laneId(task, node);
  return isEnded(after)
    ? unit.decide(laneDecider, lane, { type: 'LeaveLane', run: id })
    : unit.decide(laneDecider, lane, { type: 'EnterLane', run: id, overlap });
};

/**
 * Decides about a run, and in the same batch about what follows from it: its lease of the repository and its place in the lane of
 * its task. A refusal of any of the three refuses all. For whoever has told the parent already; all others: `decideRun`.
 */
export const decideChild = async (
  unit: UnitOfWork, id: string, command: RunCommand, overlap: 'skip' | 'queue' = 'skip',
): Promise<Result<readonly RunEvent[], Refusal>> => {
  const { state: before } = await unit.load(runDecider, id);
  const decided = await unit.decide(runDecider, id, command);
  if (!decided.ok || decided.value.length === 0) return decided;
  const { state: after } = await unit.load(runDecider, id);
  if (after.status === 'absent') return decided;
  const lease = await settleLease(unit, id, before, after);
  if (!lease.ok) return lease;
  const lane = await settleLane(unit, id, [before, after], overlap);
  return lane.ok ? decided : lane;
};

/**
 * As `decideChild`; and the parent learns of a child that had ended and is another one now, so that it never ends, and never stays ended,
 * on what is no longer so. Every change of a run goes through here.
 */
export const decideRun = async (
  unit: UnitOfWork, id: string, command: RunCommand, overlap: 'skip' | 'queue' = 'skip',
): Promise<Result<readonly RunEvent[], Refusal>> => {
  const { state: before } = await unit.load(runDecider, id);
  const decided = await decideChild(unit, id, command, overlap);
  if (!decided.ok || !isEnded(before) || before.order.parent === undefined) return decided;
  const { state: after } = await unit.load(runDecider, id);
  if (after.status === before.status) return decided;
  const reviewed = await decideParent(unit, before.order.parent, { type: 'ReviewParent', run: id, retried: command.type === 'RetryRun' });
  return reviewed.ok ? decided : reviewed;
};
