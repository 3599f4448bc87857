import { Inject, Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, derivedId, err, ok, refuse } from '#kernel';
import { type SelectedNodes, type TaskDefinition, laneDecider, laneId, parentLane, selects, taskDecider, taskExists } from '../../../tasks/index.ts';
import type { ChildRun, ParentOrder } from '../../domain/parent.events.ts';
import { awayRule } from '../../domain/run.absence.ts';
import type { Reason } from '../../domain/run.events.ts';
import type { RunCause } from '../../domain/run.plan.ts';
import { NODE_DIRECTORY, type NodeDirectory } from '../../ports.ts';
import { decideParent } from '../decide-parent.ts';
import { StartChildrenHandler } from '../start-children/start-children.handler.ts';

/** A start of a task that chooses its nodes. `scheduledFor`: RFC 3339 of the schedule's instant; absent for a start by hand. */
export interface ParentRunRequest {
  readonly id: string;
  readonly task: string;
  readonly cause: Exclude<RunCause, 'duty'>;
  readonly scheduledFor?: string;
  /** The instant passed while no master was there and the task skips such: record it, do not run it. */
  readonly missed?: boolean;
  /** RFC 3339. */
  readonly now: string;
}

/** Id of the parent's `n`-th child on a node, or of its child on this node: one on every master. */
export const childRunId = (parent: string, which: string): string => derivedId('run', parent, which);

type End = { readonly status: 'skipped' | 'failed' } & Reason;

/** Requests parent runs inside somebody's unit of work. */
@Injectable()
export class RequestParentHandler {
  constructor(@Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory, private readonly children: StartChildrenHandler) {}

  /**
   * The parent exists afterwards; requested before: nothing. Of `all` the nodes are those that match now, and the first of them are begun
   * in this batch: those that wait for their turn are returned. A start by hand that overlaps is refused (`task-running`) where a task of
   * `any` does not queue.
   */
  async request(unit: UnitOfWork, wish: ParentRunRequest): Promise<Result<readonly ChildRun[], Refusal>> {
    const { state: task } = await unit.load(taskDecider, wish.task);
    if (!taskExists(task)) return err(refuse('not-found', 'task-not-found', 'There is no such task; list them with GET /api/v1/tasks'));
    const { placement } = task.definition;
    if (!selects(placement)) return err(refuse('refused', 'task-names-nodes', 'The task names its nodes now; start it again'));
    const order = await this.orderOf(wish, task.definition, placement);
    const end = await this.endAtOnce(unit, wish, order);
    const requested = await decideParent(unit, wish.id, { type: 'RequestParent', order, ...(end ? { end } : {}) }, order.overlap);
    if (!requested.ok) return requested;
    return end || requested.value.length === 0 ? ok([]) : this.children.next(unit, wish.id, wish.now);
  }

  private async orderOf({ id, task, cause, scheduledFor, now }: ParentRunRequest, definition: TaskDefinition, placement: SelectedNodes): Promise<ParentOrder> {
    const { name, source, target, overlap, timeoutSeconds, retries } = definition;
    const { selector, mode } = placement;
    const nodes = mode === 'all' ? await this.nodes.matching(selector) : [];
    return {
      plan: { kind: 'backup', source }, selector, mode, children: nodes.map((node) => ({ run: childRunId(id, node.id), node: node.id })),
      target, task, taskName: name, cause, overlap, timeoutSeconds, retries, away: awayRule(placement, now),
      ...(scheduledFor === undefined ? {} : { scheduledFor }),
    };
  }

  private async endAtOnce(unit: UnitOfWork, { id, cause, missed }: ParentRunRequest, order: ParentOrder): Promise<End | undefined> {
    if (missed) return { status: 'skipped', code: 'missed', detail: 'No master was running at the scheduled time, and the task skips what it missed' };
    if (order.mode === 'all') {
      const detail = 'No node has the labels that the task asks for; label one, or change the task';
      return order.children.length > 0 ? undefined : { status: 'failed', code: 'no-node-matches', detail };
    }
    if (cause !== 'schedule' || order.overlap !== 'skip') return undefined;
    const { state: lane } = await unit.load(laneDecider, laneId(order.task, parentLane));
    const other = lane.runs.find((run) => run !== id);
    return other === undefined ? undefined : { status: 'skipped', code: 'overlap', detail: `The run ${other} of this task was still under way` };
  }
}
