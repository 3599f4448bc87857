import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, IsNull, Repository } from 'typeorm';
import { type Clock, controlNode, rfc3339 } from '#kernel';
import { CLOCK } from '../../../../platform/index.ts';
import { PlaceChildHandler } from '../../commands/place-child/place-child.handler.ts';
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

const next: WaitingReason = { code: 'next', detail: 'The run is about to begin' };

/** Says why queued runs wait. Computed when asked, as it changes with everything around the run. */
@Injectable()
export class WaitingReasons {
  constructor(
    @InjectRepository(RunRow) private readonly rows: Repository<RunRow>,
    private readonly places: PlaceChildHandler,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Reasons by run id, for those of `runs` that are queued. */
  async of(runs: readonly RunRow[]): Promise<ReadonlyMap<string, WaitingReason>> {
    const waiting = runs.filter((run) => run.status === 'queued');
    if (waiting.length === 0) return new Map();
    const open = await this.rows.find({
      select: { id: true, node: true, task: true, repository: true, kind: true, status: true, requestedAt: true },
      where: { status: In(['queued', ...activeStatuses]), mode: IsNull() },
      order: { requestedAt: 'ASC', id: 'ASC' },
    });
    const facts = new Map<string, NodeFacts | undefined>();
    for (const node of new Set(waiting.map((run) => run.node))) if (node !== null && node !== controlNode) facts.set(node, await this.nodes.find(node));
    return new Map(await Promise.all(waiting.map(async (run) => [run.id, await this.parentReason(run) ?? this.reason(run, open, facts)] as const)));
  }

  /** A parent waits while none of the nodes that match can begin it. */
  private async parentReason({ mode, selector, task }: RunRow): Promise<WaitingReason | undefined> {
    if (mode === null) return undefined;
    const choice = mode === 'any' && selector && task !== null ? await this.places.choose(selector, task) : undefined;
    if (!choice || choice.status === 'found') return next;
    const { code, detail } = choice.reason;
    return { code, detail };
  }

  private reason(run: RunRow, open: readonly RunRow[], facts: ReadonlyMap<string, NodeFacts | undefined>): WaitingReason {
    if (run.notBefore && run.notBefore.getTime() > this.clock.now()) {
      return { code: 'retry-delay', detail: `The next attempt begins at ${rfc3339(run.notBefore.getTime())}` };
    }
    const node = run.node ?? controlNode;
    const ofNode = node === controlNode ? undefined : nodeObstacle(facts.get(node));
    if (ofNode) return { code: ofNode.code, detail: ofNode.detail };
    const before = open.find((other) => other.task !== null && other.task === run.task && other.node === run.node);
    if (before && before.id !== run.id) return { code: 'task-running', detail: `The run ${before.id} of the same task comes first` };
    const active = open.filter((other) => other.status !== 'queued');
    const blocker = active.find((other) => other.repository === run.repository && [other, run].some(({ kind }) => leaseModeOf(kind) === 'exclusive'));
    if (blocker) return { code: 'repository-busy', detail: `The repository is in use by ${blocker.id}` };
    const slots = facts.get(node)?.slots;
    if (slots !== undefined && active.filter((other) => other.node === run.node).length >= slots) {
      return { code: 'no-free-slot', detail: `All ${slots} slots of the node are in use` };
    }
    return next;
  }
}
