import { Inject, Injectable } from '@nestjs/common';
import { type Command, protocolVersion } from '#contracts';
import type { UnitOfWork } from '#event-store';
import { type Logger, type Refusal, type Result, controlNode, err, messageOf, ok, refuse } from '#kernel';
import { LOGGER } from '../../../../platform/index.ts';
import { mayNotWorkCodes } from '../../../nodes/index.ts';
import { laneDecider, laneId } from '../../../tasks/index.ts';
import { Deciding } from '../../deciding.ts';
import { runDecider } from '../../domain/run.decide.ts';
import { lastAttempt, type RunState } from '../../domain/run.state.ts';
import { COMMAND_SENDER, type CommandSender, NODE_DIRECTORY, type NodeDirectory, RUN_ROWS, type RunRows } from '../../ports.ts';
import { nodeObstacle } from '../../node-obstacle.ts';
import { decideRun } from '../decide-run.ts';

/** Seconds that an agent has to claim what it was sent; then the run goes back to the queue. */
export const claimSeconds = 60;

/** Runs of the masters' own executor at once, over all masters. */
const controlSlots = 4;

/** `waiting`: why nothing was sent; the run stays queued. */
export type DispatchOutcome = { readonly dispatched: true; readonly attempt: number } | { readonly dispatched: false; readonly waiting: Refusal };

/** An attempt that was decided on and is to be sent. */
export interface DispatchedAttempt {
  readonly id: string;
  readonly node: string;
  readonly attempt: number;
  readonly kind: Command['verb'];
}

/** Reasons that are about the node being away, to which the rule of a task applies. A node that was removed never comes back. */
export const isAbsence = (code: string): boolean => code === 'node-offline' || (mayNotWorkCodes.has(code) && code !== 'node-removed');

const waiting = (code: string, detail: string): Refusal => refuse('conflict', code, detail);

/** Sends a queued run to its node: decides first, then sends; what is decided and not sent is sent by a later pass. */
@Injectable()
export class DispatchRunHandler {
  constructor(
    private readonly deciding: Deciding,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
    @Inject(RUN_ROWS) private readonly rows: RunRows,
    @Inject(COMMAND_SENDER) private readonly sender: CommandSender,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Sends the run if nothing stands in its way. `node` is the run's. */
  async dispatch(id: string, node: string): Promise<DispatchOutcome> {
    const decided = await this.deciding.execute('system:dispatch', (unit) => this.decide(unit, id, node));
    if (!decided.ok) {
      if (isAbsence(decided.error.code)) await this.meetAbsence(id, decided.error);
      return { dispatched: false, waiting: decided.error };
    }
    await this.send(decided.value.value);
    return { dispatched: true, attempt: decided.value.value.attempt };
  }

  /** Decides in somebody's unit of work that the run is sent, if nothing stands in its way; a refusal stages nothing. Then `send` it. */
  async decide(unit: UnitOfWork, id: string, node: string): Promise<Result<DispatchedAttempt, Refusal>> {
    const obstacle = await this.obstacle(node);
    return obstacle ? err(obstacle) : unit.attempt(() => this.begin(unit, id, node));
  }

  /** Sends the command of a dispatched attempt once more, if it is still the one to claim. `repetition` as `CommandSender` has it. */
  async sendAgain(id: string, repetition: number): Promise<void> {
    const state = await this.deciding.run(id);
    const attempt = state.status === 'dispatched' ? lastAttempt(state) : undefined;
    if (state.status === 'absent' || !attempt) return;
    await this.send({ id, node: state.order.node, attempt: attempt.number, kind: state.order.plan.kind }, repetition);
  }

  /** Tells the node to end an attempt. */
  async stop(id: string, node: string, attempt: number, repetition = 0): Promise<void> {
    await this.send({ id, node, attempt, kind: 'stop' }, repetition);
  }

  /** Sends the command of an attempt that was decided on. Never rejects: a later pass sends what was not. */
  async send({ id, node, attempt, kind }: DispatchedAttempt, repetition = 0): Promise<void> {
    try {
      await this.sender.send({ protocol: protocolVersion, node, run: id, attempt, verb: kind, issuedAt: this.deciding.now() }, repetition);
    } catch (error) {
      this.logger.warn('A command could not be sent; a later pass sends it', { run: id, node, attempt, verb: kind, reason: messageOf(error) });
    }
  }

  /** What the rule of its task says comes about; nothing where it waits on. */
  private async meetAbsence(id: string, { code }: Refusal): Promise<void> {
    const meet = { type: 'MeetAbsence', now: this.deciding.now(), code, detail: `The node could not begin the run (${code})` } as const;
    await this.deciding.execute('system:dispatch', (unit) => decideRun(unit, id, meet));
  }

  private async begin(unit: UnitOfWork, id: string, node: string): Promise<Result<DispatchedAttempt, Refusal>> {
    const { state } = await unit.load(runDecider, id);
    const turn = await this.turn(unit, id, state);
    if (!turn.ok) return turn;
    const dispatch = { type: 'DispatchRun', now: this.deciding.now(), deadline: this.deciding.inSeconds(claimSeconds) } as const;
    const decided = await decideRun(unit, id, dispatch);
    if (!decided.ok) return decided;
    const { state: after } = await unit.load(runDecider, id);
    if (after.status !== 'dispatched') return err(waiting('run-not-queued', 'The run is not waiting'));
    return ok({ id, node, attempt: lastAttempt(after)?.number ?? 1, kind: after.order.plan.kind });
  }

  /** Runs of one task on one node go one after the other, in the order of their requests. */
  private async turn(unit: UnitOfWork, id: string, state: RunState): Promise<Result<undefined, Refusal>> {
    if (state.status === 'absent' || state.order.task === undefined) return ok(undefined);
    const { state: lane } = await unit.load(laneDecider, laneId(state.order.task, state.order.node));
    const [first] = lane.runs;
    return first === undefined || first === id ? ok(undefined) : err(waiting('task-running', `The run ${first} of the same task comes first`));
  }

  private async obstacle(node: string): Promise<Refusal | undefined> {
    const facts = node === controlNode ? undefined : await this.nodes.find(node);
    const obstacle = node === controlNode ? undefined : nodeObstacle(facts);
    if (obstacle) return obstacle;
    const slots = facts?.slots ?? controlSlots;
    const busy = await this.rows.active(node);
    return busy.length < slots ? undefined : waiting('no-free-slot', `All ${slots} slots of the node are in use`);
  }
}
