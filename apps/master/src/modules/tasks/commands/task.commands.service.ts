import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { UnitOfWork } from '#event-store';
import { AppError, type Refusal, type Result, err, ok, refuse } from '#kernel';
import { type CommandContext, Commands } from '../../../platform/index.ts';
import { beginChange, rename } from '../../names/index.ts';
import { NodeLookup } from '../../nodes/index.ts';
import { placesDecider, placesId } from '../../places/index.ts';
import { TargetRow } from '../../targets/index.ts';
import { RequestParentHandler, type RequestedRun, RequestRunHandler, StartRuns, parentDecider, runDecider } from '../../runs/index.ts';
import { laneDecider, laneId } from '../domain/lane.ts';
import { taskDecider } from '../domain/task.decide.ts';
import type { TaskDefinition } from '../domain/task.definition.ts';
import { namedNodes, selects } from '../domain/task.placement.ts';
import { type ExistingTask, taskExists } from '../domain/task.state.ts';
import type { ChangeTaskRequest } from '../http/task.dto.ts';
import { changedDefinition } from './task-definition.mapper.ts';

/** Nodes started in one batch: a start appends two or three events a node, and the log takes 1,000 in one. */
const nodesInBatch = 250;
const chooses = refuse('refused', 'task-chooses-nodes', 'The task chooses its nodes by labels; start it without naming nodes');
const onlyAsked = refuse('conflict', 'only-asked', 'Nothing was to be done');

const notFound = (): Refusal => refuse('not-found', 'task-not-found', 'There is no such task; list them with GET /api/v1/tasks');

const existing = async (unit: UnitOfWork, id: string): Promise<Result<{ state: ExistingTask; revision: number }, Refusal>> => {
  const { state, revision } = await unit.load(taskDecider, id);
  return taskExists(state) ? ok({ state, revision }) : err(notFound());
};

/** In the batch of `unit`, so that no node that the task names and no target of it can be removed at the same moment. */
const takePlaces = (unit: UnitOfWork, task: string, { placement, target }: TaskDefinition) =>
  unit.decide(placesDecider, placesId, { type: 'TakePlaces', task, places: [...namedNodes(placement), target] });

/** A start by hand on nodes that the task names; `now` is RFC 3339. */
interface Start {
  readonly task: string;
  readonly now: string;
}

/** Orders about tasks. All throw the refusal. */
@Injectable()
export class TaskCommands {
  constructor(
    private readonly commands: Commands,
    private readonly requests: RequestRunHandler,
    private readonly parents: RequestParentHandler,
    private readonly starts: StartRuns,
    private readonly nodes: NodeLookup,
    @InjectRepository(TargetRow) private readonly targets: Repository<TargetRow>,
  ) {}

  /** Defines a task and returns its id. Throws `name-taken`, `node-unknown`, `target-unknown` and `task-definition-invalid`. */
  async define(context: CommandContext, definition: TaskDefinition): Promise<string> {
    await this.checkPlaces(definition);
    const id = context.newId('task');
    await this.commands.execute(context, async (unit) => {
      const named = await rename(unit, { kind: 'task', owner: id, to: definition.name });
      if (!named.ok) return named;
      const placed = await takePlaces(unit, id, definition);
      return placed.ok ? unit.decide(taskDecider, id, { type: 'DefineTask', definition }) : placed;
    });
    return id;
  }

  /** Throws also `stale-revision` when the task is not at revision `seen` any more. */
  async change(context: CommandContext, id: string, request: ChangeTaskRequest, seen: number | undefined): Promise<void> {
    const now = await this.commands.execute(context.step('read'), (unit) => existing(unit, id));
    await this.checkPlaces(changedDefinition(now.value.state.definition, request));
    await this.commands.execute(context, async (unit) => {
      const task = await existing(unit, id);
      if (!task.ok) return task;
      const { revision, state: { definition: before } } = task.value;
      const begun = await beginChange(unit, { kind: 'task', owner: id, from: before.name, to: request.name, revision, seen });
      if (!begun.ok) return begun;
      const definition = changedDefinition(before, request);
      const placed = await takePlaces(unit, id, definition);
      return placed.ok ? unit.decide(taskDecider, id, { type: 'ChangeTask', definition }) : placed;
    });
  }

  /** What it has stored stays; runs at work go on. */
  async remove(context: CommandContext, id: string): Promise<void> {
    await this.commands.execute(context, async (unit) => {
      const task = await existing(unit, id);
      if (!task.ok) return task;
      const freed = await rename(unit, { kind: 'task', owner: id, from: task.value.state.definition.name });
      if (!freed.ok) return freed;
      const left = await unit.decide(placesDecider, placesId, { type: 'ReleasePlaces', task: id });
      return left.ok ? unit.decide(taskDecider, id, { type: 'DeleteTask' }) : left;
    });
  }

  async pause(context: CommandContext, id: string): Promise<void> {
    await this.commands.execute(context, (unit) => unit.decide(taskDecider, id, { type: 'PauseTask' }));
  }

  async resume(context: CommandContext, id: string): Promise<void> {
    await this.commands.execute(context, (unit) => unit.decide(taskDecider, id, { type: 'ResumeTask' }));
  }

  /**
   * Starts the task and returns its runs. Where it chooses its nodes that is one parent run. On nodes that it names, or on some of them: all
   * or none, if there are not very many. Of very many all are looked at first, then each batch of them is all or none: a batch may be
   * refused, or the master may die, when others have begun. The same command then goes on where it ended. Throws `task-running`,
   * `node-not-in-task` and `task-chooses-nodes`.
   */
  async run(context: CommandContext, id: string, nodes?: readonly string[]): Promise<string[]> {
    const ids: string[] = [];
    const idOf = (index: number): string => (ids[index] ??= context.newId('run'));
    let many: readonly RequestedRun[] = [];
    const parent: { id?: string } = {};
    const start = { task: id, now: context.time };
    const started = await this.starts.start(context, async (unit) => {
      const task = await existing(unit, id);
      if (!task.ok) return task;
      const { placement } = task.value.state.definition;
      if (selects(placement)) return nodes ? err(chooses) : this.requestParent(unit, start, (parent.id = idOf(0)));
      const requested = (nodes ?? namedNodes(placement)).map((node, index) => ({ node, run: idOf(index) }));
      many = requested.length > nodesInBatch ? requested : [];
      if (many.length === 0) return this.request(unit, start, requested);
      const refusal = await this.whyNot(unit, start, many);
      return refusal ? err(refusal) : ok([]);
    });
    for (let from = 0; from < many.length; from += nodesInBatch) {
      const batch = many.slice(from, from + nodesInBatch);
      await this.starts.start(context.step(`nodes from ${from}`), (unit) => this.request(unit, start, batch));
    }
    if (parent.id !== undefined) return [parent.id];
    return (many.length === 0 ? started : many).map(({ run }) => run);
  }

  private async requestParent(unit: UnitOfWork, { task, now }: Start, id: string): Promise<Result<readonly RequestedRun[], Refusal>> {
    unit.expectNew(parentDecider, id);
    return this.parents.request(unit, { id, task, cause: 'user', now });
  }

  private async request(unit: UnitOfWork, { task, now }: Start, runs: readonly RequestedRun[]): Promise<Result<readonly RequestedRun[], Refusal>> {
    // Side by side: each lane is a question to the log.
    await Promise.all(runs.map(({ node }) => unit.load(laneDecider, laneId(task, node))));
    for (const { run, node } of runs) {
      unit.expectNew(runDecider, run);
      const made = await this.requests.ofTask(unit, { id: run, task, node, cause: 'user', now });
      if (!made.ok) return made;
    }
    return ok(runs);
  }

  /** What the requests would be refused with; nothing is staged. */
  private async whyNot(unit: UnitOfWork, start: Start, runs: readonly RequestedRun[]): Promise<Refusal | undefined> {
    let refusal: Refusal | undefined;
    await unit.attempt(async () => {
      const made = await this.request(unit, start, runs);
      refusal = made.ok ? undefined : made.error;
      return err(refusal ?? onlyAsked);
    });
    return refusal;
  }

  private async checkPlaces({ placement, target }: TaskDefinition): Promise<void> {
    const nodes = namedNodes(placement);
    const known = new Set((await this.nodes.list(nodes)).map((node) => node.id));
    const missing = nodes.filter((node) => !known.has(node));
    if (missing.length > 0) throw new AppError(refuse('refused', 'node-unknown', `There is no node ${missing.join(', ')}; list them with GET /api/v1/nodes`));
    if (!(await this.targets.existsBy({ id: target }))) {
      throw new AppError(refuse('refused', 'target-unknown', `There is no target ${target}; list them with GET /api/v1/targets`));
    }
  }
}
