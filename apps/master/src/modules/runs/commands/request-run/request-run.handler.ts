import { Inject, Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, controlNode, derivedId, err, ok, refuse } from '#kernel';
import { repositoryKey } from '../../../repositories/index.ts';
import { type TaskDefinition, laneDecider, laneId, namedNodes, taskDecider, taskExists } from '../../../tasks/index.ts';
import { awayRule, boundedAway } from '../../domain/run.absence.ts';
import type { RunCause, RunOrder, RunPlan, VerifyLevel } from '../../domain/run.plan.ts';
import { NODE_DIRECTORY, type NodeDirectory } from '../../ports.ts';
import { decideRun } from '../decide-run.ts';

/** The run of `task` on `node` at this instant of its schedule: one id on every master. */
export const scheduledRunId = (task: string, node: string, instant: string): string => derivedId('run', task, node, instant);

/** A start of a task on one of its nodes. `scheduledFor`: RFC 3339 of the schedule's instant; absent for a start by hand. */
export interface TaskRunRequest {
  readonly id: string;
  readonly task: string;
  readonly node: string;
  readonly cause: RunCause;
  readonly scheduledFor?: string;
  /** The instant passed while no master was there and the task skips such: record it, do not run it. */
  readonly missed?: boolean;
  /** RFC 3339. */
  readonly now: string;
}

const orderOf = (definition: TaskDefinition, { task, node, cause, scheduledFor, now }: TaskRunRequest): RunOrder => ({
  plan: { kind: 'backup', source: definition.source },
  node,
  target: definition.target,
  repository: repositoryKey(node, definition.target),
  task,
  taskName: definition.name,
  cause,
  ...(scheduledFor === undefined ? {} : { scheduledFor }),
  timeoutSeconds: definition.timeoutSeconds,
  retries: definition.retries,
  ...boundedAway(awayRule(definition.placement, now)),
});

/** What the masters' own executor is asked for. */
export interface DutyRequest {
  readonly id: string;
  readonly plan: Extract<RunPlan, { kind: 'prune' | 'verify' }>;
  readonly target: string;
  readonly cause: RunCause;
}

const dutyTimeoutSeconds = 24 * 3600;
/** Seconds before another master takes up what failed, or what a master died on: soon where somebody waits for it. */
const dutyRetrySeconds = { user: 10, schedule: 300, duty: 300 } as const;

/** Requests runs inside somebody's unit of work, so that a request is one batch whatever else belongs to it. */
@Injectable()
export class RequestRunHandler {
  constructor(@Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory) {}

  /**
   * The run exists afterwards, queued or (overlap, misfire, node out of service) skipped with its reason; requested before: nothing. A
   * start by hand that overlaps is refused (`task-running`) where the task does not queue, and one on a node out of service (`node-disabled`).
   */
  async ofTask(unit: UnitOfWork, request: TaskRunRequest): Promise<Result<string, Refusal>> {
    const { state: task } = await unit.load(taskDecider, request.task);
    if (!taskExists(task)) return err(refuse('not-found', 'task-not-found', 'There is no such task; list them with GET /api/v1/tasks'));
    const { definition } = task;
    if (!namedNodes(definition.placement).includes(request.node)) {
      return err(refuse('refused', 'node-not-in-task', `The task does not cover ${request.node}; name one of its nodes`));
    }
    const command = { type: 'RequestRun', order: orderOf(definition, request) } as const;
    const skip = await this.skipReason(unit, request, definition);
    if (skip?.code === 'node-disabled' && request.cause === 'user') return err(refuse('conflict', 'node-disabled', skip.detail));
    const decided = await decideRun(unit, request.id, skip ? { ...command, skip } : command, definition.overlap);
    return decided.ok ? ok(request.id) : decided;
  }

  /** A prune or verify by the masters' own executor; requested before: nothing. */
  async duty(unit: UnitOfWork, { id, plan, target, cause }: DutyRequest): Promise<Result<string, Refusal>> {
    const order: RunOrder = {
      plan, node: controlNode, target, repository: repositoryKey(plan.ofNode, target), cause,
      timeoutSeconds: dutyTimeoutSeconds, retries: { max: 2, delaySeconds: dutyRetrySeconds[cause] },
    };
    const decided = await decideRun(unit, id, { type: 'RequestRun', order });
    return decided.ok ? ok(id) : decided;
  }

  private async skipReason(unit: UnitOfWork, request: TaskRunRequest, definition: TaskDefinition) {
    if ((await this.nodes.find(request.node))?.disabled) return { code: 'node-disabled', detail: 'The node is out of service; enable it to let runs begin' };
    if (request.missed) return { code: 'missed', detail: 'No master was running at the scheduled time, and the task skips what it missed' };
    if (request.cause !== 'schedule' || definition.overlap !== 'skip') return undefined;
    const { state: lane } = await unit.load(laneDecider, laneId(request.task, request.node));
    const other = lane.runs.find((run) => run !== request.id);
    return other === undefined ? undefined : { code: 'overlap', detail: `The run ${other} of this task was still under way on this node` };
  }
}

/** The plan of a verify, with its level. */
export const verifyPlan = (ofNode: string, level: VerifyLevel, snapshots: readonly string[]): Extract<RunPlan, { kind: 'verify' }> =>
  ({ kind: 'verify', ofNode, level, snapshots });
