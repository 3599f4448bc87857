import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { type Clock, controlNode, rfc3339 } from '#kernel';
import { CLOCK } from '../../../../platform/index.ts';
import { leaseModeOf } from '../../domain/run.plan.ts';
import { activeStatuses } from '../../domain/run.state.ts';
import { NODE_DIRECTORY, type NodeDirectory, type NodeFacts } from '../../ports.ts';
import { nodeObstacle } from '../../node-obstacle.ts';
import { RunRow } from './run.entity.ts';

/** Why a run waits: a stable code and a sentence. */
export interface WaitingReason {
  readonly code: string;
  readonly detail: string;
}

/** Says why queued runs wait. Computed when asked, as it changes with everything around the run. */
@Injectable()
export class WaitingReasons {
  constructor(
    @InjectRepository(RunRow) private readonly rows: Repository<RunRow>,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Reasons by run id, for those of `runs` that are queued. */
  async of(runs: readonly RunRow[]): Promise<ReadonlyMap<string, WaitingReason>> {
    const waiting = runs.filter((run) => run.status === 'queued');
    if (waiting.length === 0) return new Map();
    const open = await this.rows.find({
      select: { id: true, node: true, task: true, repository: true, kind: true, status: true, requestedAt: true },
      where: { status: In(['queued', ...activeStatuses]) },
      order: { requestedAt: 'ASC', id: 'ASC' },
    });
    const facts = new Map<string, NodeFacts | undefined>();
    for (const node of new Set(waiting.map((run) => run.node))) if (node !== controlNode) facts.set(node, await this.nodes.find(node));
    return new Map(waiting.map((run) => [run.id, this.reason(run, open, facts)]));
  }

  private reason(run: RunRow, open: readonly RunRow[], facts: ReadonlyMap<string, NodeFacts | undefined>): WaitingReason {
    if (run.notBefore && run.notBefore.getTime() > this.clock.now()) {
      return { code: 'retry-delay', detail: `The next attempt begins at ${rfc3339(run.notBefore.getTime())}` };
    }
    const ofNode = run.node === controlNode ? undefined : nodeObstacle(facts.get(run.node));
    if (ofNode) return { code: ofNode.code, detail: ofNode.detail };
    const before = open.find((other) => other.task !== null && other.task === run.task && other.node === run.node);
    if (before && before.id !== run.id) return { code: 'task-running', detail: `The run ${before.id} of the same task comes first` };
    const active = open.filter((other) => other.status !== 'queued');
    const blocker = active.find((other) => other.repository === run.repository && [other, run].some(({ kind }) => leaseModeOf(kind) === 'exclusive'));
    if (blocker) return { code: 'repository-busy', detail: `The repository is in use by ${blocker.id}` };
    const slots = facts.get(run.node)?.slots;
    if (slots !== undefined && active.filter((other) => other.node === run.node).length >= slots) {
      return { code: 'no-free-slot', detail: `All ${slots} slots of the node are in use` };
    }
    return { code: 'next', detail: 'The run is about to begin' };
  }
}
