import { Inject, Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, derivedId, err, ok, refuse } from '#kernel';
import type { Follower } from '#projections';
import { FOLLOWER } from '../../../../platform/index.ts';
import { laneDecider, laneId, parentLane } from '../../../tasks/index.ts';
import { parentDecider } from '../../domain/parent.decide.ts';
import type { ChildRun } from '../../domain/parent.events.ts';
import type { ExistingParent } from '../../domain/parent.state.ts';
import { type Choice, choosePlace } from '../../domain/placing.ts';
import { runDecider } from '../../domain/run.decide.ts';
import { isEnded } from '../../domain/run.state.ts';
import { Deciding } from '../../deciding.ts';
import { nodeObstacle } from '../../node-obstacle.ts';
import { NODE_DIRECTORY, type NodeDirectory, RUN_ROWS, type RunRows } from '../../ports.ts';
import { decideParent } from '../decide-parent.ts';
import { decideChild } from '../decide-run.ts';
import { type DispatchedAttempt, DispatchRunHandler } from '../dispatch-run/dispatch-run.handler.ts';
import { childRunId } from '../request-parent/request-parent.handler.ts';
import { childOrder } from '../start-children/start-children.handler.ts';

/** Nodes that are tried for one run in one pass: what stands in the way of the best one (a prune, say) may not do so for the next. */
const mostTries = 8;
/** Milliseconds that the read models are waited for. */
const seeMs = 3_000;
const moved = { code: 'placed-elsewhere', detail: 'The node went away, or its agent did not claim the run; another node does it' };

interface Case {
  readonly id: string;
  readonly state: ExistingParent;
  /** The child that a new one takes the place of. */
  readonly instead?: ChildRun;
}

/** Chooses the node of a run of mode `any`, at the moment when it can begin there: choice, request and dispatch are one batch. */
@Injectable()
export class PlaceChildHandler {
  constructor(
    private readonly deciding: Deciding,
    private readonly dispatch: DispatchRunHandler,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
    @Inject(RUN_ROWS) private readonly rows: RunRows,
    @Inject(FOLLOWER) private readonly follower: Pick<Follower, 'waitFor'>,
  ) {}

  /**
   * Places a parent that has no child; or, where `instead` never began, moves it. While nobody can begin it the rule of the task decides.
   * Resolves with whether something was decided, when the read models show it: whose slots are taken decides the next choice.
   */
  async place(id: string, instead?: ChildRun): Promise<boolean> {
    const decided = await this.deciding.execute('system:placement', (unit) => this.decide(unit, id, instead));
    if (!decided.ok || decided.value.sequence === 0) return false;
    const { value: sent, sequence } = decided.value;
    if (sent) await this.dispatch.send(sent);
    await this.follower.waitFor(sequence, seeMs);
    return true;
  }

  /** Whether new work cannot begin there now. */
  async isAway(node: string): Promise<boolean> {
    return nodeObstacle(await this.nodes.find(node)) !== undefined;
  }

  /** Who could begin a run with this selector now. */
  async choose(selector: Readonly<Record<string, string>>, task: string): Promise<Choice> {
    const [nodes, active] = await Promise.all([this.nodes.matching(selector), this.rows.active()]);
    const busy = Map.groupBy(active, (row) => row.node);
    const candidates = nodes.map((node) => ({ ...node, active: busy.get(node.id)?.length ?? 0 }));
    // Each task prefers other nodes, and always the same ones, which hold its earlier snapshots.
    return choosePlace(candidates, (node) => derivedId('name', task, node));
  }

  private async decide(unit: UnitOfWork, id: string, instead: ChildRun | undefined): Promise<Result<DispatchedAttempt | undefined, Refusal>> {
    const { state } = await unit.load(parentDecider, id);
    if (state.status !== 'open' || state.order.mode !== 'any' || state.children[0]?.run !== instead?.run) return ok(undefined);
    const { state: lane } = await unit.load(laneDecider, laneId(state.order.task, parentLane));
    const [first] = lane.runs;
    if (first !== undefined && first !== id) return err(refuse('conflict', 'task-running', `The run ${first} of the same task comes first`));
    const choice = await this.choose(state.order.selector, state.order.task);
    if (choice.status !== 'found') return this.nobody(unit, { id, state, ...(instead ? { instead } : {}) }, choice);
    return this.tryEach(unit, { id, state, ...(instead ? { instead } : {}) }, choice.nodes.filter((node) => node !== instead?.node));
  }

  /** A child that waits on its own node ends by the rule of the task itself. */
  private async nobody(unit: UnitOfWork, { id, instead }: Case, { status, reason }: Exclude<Choice, { status: 'found' }>): Promise<Result<undefined, Refusal>> {
    if (status === 'waiting' || (instead && !isEnded((await unit.load(runDecider, instead.run)).state))) return err(reason);
    const { code, detail } = reason;
    const hopeless = status === 'none';
    const met = await decideParent(unit, id, { type: 'MeetNoPlace', now: this.deciding.now(), hopeless, code, detail, ...(instead ? { instead: instead.run } : {}) });
    if (!met.ok) return met;
    return met.value.length > 0 ? ok(undefined) : err(reason);
  }

  private async tryEach(unit: UnitOfWork, item: Case, nodes: readonly string[]): Promise<Result<DispatchedAttempt, Refusal>> {
    let refusal = refuse('conflict', 'no-free-slot', 'All slots of the nodes that match are in use');
    for (const node of nodes.slice(0, mostTries)) {
      const placed = await unit.attempt(() => this.on(unit, item, node));
      if (placed.ok) return placed;
      refusal = placed.error;
    }
    return err(refusal);
  }

  private async on(unit: UnitOfWork, { id, state, instead }: Case, node: string): Promise<Result<DispatchedAttempt, Refusal>> {
    const run = childRunId(id, String(state.placements + 1));
    const left = instead ? await this.leave(unit, instead) : ok(undefined);
    if (!left.ok) return left;
    const placed = await decideParent(unit, id, { type: 'PlaceChild', run, node, ...(instead ? { instead: instead.run } : {}) });
    if (!placed.ok) return placed;
    const requested = await decideChild(unit, run, { type: 'RequestRun', order: childOrder(id, state.order, node) }, 'queue');
    return requested.ok ? this.dispatch.decide(unit, run, node) : requested;
  }

  /** Ends a child that never began, or has been ended already for that. */
  private async leave(unit: UnitOfWork, { run }: ChildRun): Promise<Result<unknown, Refusal>> {
    const { state } = await unit.load(runDecider, run);
    if (state.status === 'absent' || state.attempts.some((attempt) => attempt.claim !== undefined)) return err(refuse('conflict', 'run-begun', 'The run has begun'));
    if (isEnded(state)) return ok(undefined);
    if (state.status !== 'queued') return err(refuse('conflict', 'run-begun', 'The run is on its way'));
    return decideChild(unit, run, { type: 'CancelRun', reason: moved });
  }
}
