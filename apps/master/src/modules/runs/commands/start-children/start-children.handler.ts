import { Inject, Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, ok } from '#kernel';
import { mayWork, outOfServiceCodes } from '../../../nodes/index.ts';
import { repositoryKey } from '../../../repositories/index.ts';
import { laneDecider, laneId } from '../../../tasks/index.ts';
import { parentDecider } from '../../domain/parent.decide.ts';
import type { ChildRun, ParentOrder } from '../../domain/parent.events.ts';
import { absenceEnd, boundedAway } from '../../domain/run.absence.ts';
import type { Reason } from '../../domain/run.events.ts';
import type { RunOrder } from '../../domain/run.plan.ts';
import { runDecider } from '../../domain/run.decide.ts';
import { isEnded } from '../../domain/run.state.ts';
import { Deciding } from '../../deciding.ts';
import { NODE_DIRECTORY, type NodeDirectory } from '../../ports.ts';
import { decideParent } from '../decide-parent.ts';
import { decideChild } from '../decide-run.ts';
import { DispatchRunHandler } from '../dispatch-run/dispatch-run.handler.ts';

/** Children begun in one batch: each appends two or three events, and the log takes 1,000 in one. */
const childrenInBatch = 250;

/** The order of a parent's child on `node`. */
export const childOrder = (parent: string, order: ParentOrder, node: string): RunOrder => {
  const { plan, target, task, taskName, cause, scheduledFor, timeoutSeconds, retries, away } = order;
  return {
    plan, node, target, repository: repositoryKey(node, target), task, taskName, cause, timeoutSeconds, retries, parent,
    ...(scheduledFor === undefined ? {} : { scheduledFor }), ...boundedAway(away),
  };
};

/** Begins the children of parents of mode `all`, some in each batch. */
@Injectable()
export class StartChildrenHandler {
  constructor(
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
  ) {}

  /** Begins all children that wait to be begun, batch by batch, and sends them. */
  async start(id: string): Promise<void> {
    for (;;) {
      const begun = await this.deciding.execute('system:placement', (unit) => this.next(unit, id, this.deciding.now()));
      if (!begun.ok || begun.value.events.length === 0) return;
      for (const { run, node } of begun.value.value) await this.dispatch.dispatch(run, node);
    }
  }

  /**
   * Requests the next children that wait to be begun, or queues them once more after a retry, and returns those that are queued now; one
   * that cannot be is recorded as skipped with its reason. Refused (`run-not-waiting`) once the parent is cancelled or has ended.
   */
  async next(unit: UnitOfWork, id: string, now: string): Promise<Result<readonly ChildRun[], Refusal>> {
    const { state } = await unit.load(parentDecider, id);
    if (state.status === 'absent' || state.waiting.length === 0) return ok([]);
    const due = new Set(state.waiting.slice(0, childrenInBatch));
    const children = state.children.filter(({ run }) => due.has(run));
    // Side by side: each is a question to the log.
    await Promise.all(children.flatMap(({ run, node }) => [unit.load(runDecider, run), unit.load(laneDecider, laneId(state.order.task, node))]));
    const started = await decideParent(unit, id, { type: 'StartChildren', runs: [...due] });
    if (!started.ok) return started;
    const queued: ChildRun[] = [];
    for (const child of children) {
      const begun = await this.begin(unit, { id, order: state.order, child, now });
      if (!begun.ok) return begun;
      if (begun.value) queued.push(child);
    }
    return ok(queued);
  }

  private async begin(
    unit: UnitOfWork, { id, order, child, now }: { id: string; order: ParentOrder; child: ChildRun; now: string },
  ): Promise<Result<boolean, Refusal>> {
    const { state: before } = await unit.load(runDecider, child.run);
    if (before.status !== 'absent') return this.again(unit, child, now);
    const skip = await this.skipReason(unit, { order, child, now });
    const request = { type: 'RequestRun', order: childOrder(id, order, child.node) } as const;
    const requested = await decideChild(unit, child.run, skip ? { ...request, skip } : request, order.overlap);
    return requested.ok ? ok(skip === undefined) : requested;
  }

  private async again(unit: UnitOfWork, { run }: ChildRun, now: string): Promise<Result<boolean, Refusal>> {
    const { state } = await unit.load(runDecider, run);
    // Somebody may have retried it by itself meanwhile, or a late success may have come.
    if (!isEnded(state) || state.snapshot !== undefined || state.status === 'succeeded') return ok(false);
    const retried = await decideChild(unit, run, { type: 'RetryRun', now }, 'queue');
    return retried.ok ? ok(true) : retried;
  }

  /** Where its node may not work the rule of the task decides; what it says to skip is recorded at once, all else when the child is sent. */
  private async skipReason(
    unit: UnitOfWork, { order, child: { run, node }, now }: { order: ParentOrder; child: ChildRun; now: string },
  ): Promise<Reason | undefined> {
    const may = mayWork(await this.nodes.find(node));
    const why = may.ok ? undefined : { code: may.error.code, detail: may.error.detail };
    if (why && outOfServiceCodes.has(why.code)) return why;
    const end = why && absenceEnd(order.away, now, why);
    if (end?.skipped) return end.reason;
    const { state: lane } = await unit.load(laneDecider, laneId(order.task, node));
    const other = lane.runs.find((one) => one !== run);
    if (other === undefined || order.overlap === 'queue') return undefined;
    return { code: 'overlap', detail: `The run ${other} of this task was still under way on this node` };
  }
}
