import { Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, controlNode, err, ok, refuse } from '#kernel';
import { type CommandContext, Commands, requireRevision } from '../../../platform/index.ts';
import { NodeLookup } from '../../nodes/index.ts';
import { type RunOrder, RequestRunHandler, StartRuns, type VerifyLevel, decideRun, verifyPlan } from '../../runs/index.ts';
import { type SnapshotCommand, type SnapshotState, snapshotDecider } from '../domain/snapshot.ts';
import type { RestoreRequest } from '../http/snapshot.dto.ts';
import type { SnapshotRow } from '../read-models/snapshots/snapshot.entity.ts';
import { SnapshotViews } from '../read-models/snapshots/snapshots.query.ts';

const daySeconds = 86_400;

const live = ({ forgotten }: SnapshotState): Result<undefined, Refusal> =>
  forgotten ? err(refuse('not-found', 'snapshot-forgotten', 'The snapshot has been forgotten; choose another one')) : ok(undefined);

const restoreOrder = (row: SnapshotRow, node: string, request: RestoreRequest): RunOrder => {
  const { destination, path, mode = 'if-changed', deleteExtraneous = false, dryRun = false, timeoutSeconds = daySeconds } = request;
  return {
    plan: {
      kind: 'restore', fromNode: row.node, snapshotRun: row.run, snapshot: row.id, snapshotObject: row.object, destination, mode, deleteExtraneous, dryRun,
      ...(path === undefined ? {} : { path: path.replace(/^\/+/, '') }),
    },
    node, target: row.target, repository: row.repository, cause: 'user', timeoutSeconds, retries: { max: 0, delaySeconds: 0 },
  };
};

/** Orders about snapshots. All throw the refusal. */
@Injectable()
export class SnapshotCommands {
  constructor(
    private readonly views: SnapshotViews,
    private readonly commands: Commands,
    private readonly starts: StartRuns,
    private readonly requests: RequestRunHandler,
    private readonly nodes: NodeLookup,
  ) {}

  /** Brings it back on a node; returns the run. Throws `snapshot-not-found`, `snapshot-forgotten` and `node-not-found`. */
  async restore(context: CommandContext, id: string, request: RestoreRequest): Promise<string> {
    const row = await this.views.row(id);
    const node = request.node ?? row.node;
    await this.nodes.get(node);
    const run = context.newId('run');
    await this.starts.start(context, async (unit) => {
      const state = live((await unit.load(snapshotDecider, id)).state);
      if (!state.ok) return state;
      const requested = await decideRun(unit, run, { type: 'RequestRun', order: restoreOrder(row, node, request) });
      return requested.ok ? ok([{ run, node }]) : requested;
    });
    return run;
  }

  /** Checks it, by the masters' own executor; returns the run. */
  async verify(context: CommandContext, id: string, level: VerifyLevel): Promise<string> {
    const row = await this.views.row(id);
    const run = context.newId('run');
    await this.starts.start(context, async (unit) => {
      const state = live((await unit.load(snapshotDecider, id)).state);
      if (!state.ok) return state;
      const requested = await this.requests.duty(unit, { id: run, plan: verifyPlan(row.node, level, [id]), target: row.target, cause: 'user' });
      return requested.ok ? ok([{ run, node: controlNode }]) : requested;
    });
    return run;
  }

  /** Nothing forgets it until it is released. */
  hold(context: CommandContext, id: string, reason: string, seen: number | undefined): Promise<void> {
    return this.decide(context, id, { command: { type: 'HoldSnapshot', reason }, seen });
  }

  release(context: CommandContext, id: string, seen: number | undefined): Promise<void> {
    return this.decide(context, id, { command: { type: 'ReleaseSnapshot' }, seen });
  }

  /** Forgets what retention no longer keeps and collects the garbage of a repository; returns the run. */
  async prune(context: CommandContext, { node, target }: { node: string; target: string }, dryRun: boolean): Promise<string> {
    const run = context.newId('run');
    await this.starts.start(context, async (unit: UnitOfWork) => {
      const requested = await this.requests.duty(unit, { id: run, plan: { kind: 'prune', ofNode: node, dryRun }, target, cause: 'user' });
      return requested.ok ? ok([{ run, node: controlNode }]) : requested;
    });
    return run;
  }

  private async decide(context: CommandContext, id: string, { command, seen }: { command: SnapshotCommand; seen: number | undefined }): Promise<void> {
    await this.views.row(id);
    await this.commands.execute(context, async (unit) => {
      const { revision } = await unit.load(snapshotDecider, id);
      const current = requireRevision(seen, revision);
      return current.ok ? unit.decide(snapshotDecider, id, command) : current;
    });
  }
}
