import { Inject, Injectable } from '@nestjs/common';
import { controlNode } from '#kernel';
import { type DueRun, EXECUTORS, type Executors, NODE_DIRECTORY, type NodeDirectory, WAITING_REPORTS, type WaitingReports } from '../ports.ts';

/** A node that has been silent for so many milliseconds has lost its attempts; sooner when they are to be cancelled. */
const silentMs = 3_600_000;
const silentWhenCancelledMs = 300_000;

/** Whether whoever holds an attempt can still be working on it. */
@Injectable()
export class AttemptLiveness {
  constructor(
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
    @Inject(EXECUTORS) private readonly executors: Executors,
    @Inject(WAITING_REPORTS) private readonly waiting: WaitingReports,
  ) {}

  /** What REPORTS holds is decided by its consumer, which knows more. */
  async hasReported({ id, node, attempt, claim }: DueRun): Promise<boolean> {
    return claim !== undefined && this.waiting.has(node, id, { attempt, claim });
  }

  /** Why its holder is given up; undefined while there is hope. */
  whyGone(row: DueRun, now: number): Promise<string | undefined> {
    return row.node === controlNode ? this.executorGone(row) : this.nodeGone(row, now);
  }

  private async nodeGone({ node, status }: DueRun, now: number): Promise<string | undefined> {
    const facts = await this.nodes.find(node);
    if (!facts) return 'The node was removed';
    const limit = status === 'cancel-requested' ? silentWhenCancelledMs : silentMs;
    if (facts.online || facts.offlineSince === undefined || now - facts.offlineSince < limit) return undefined;
    return `The node has been silent for ${Math.round(limit / 60_000)} minutes`;
  }

  private async executorGone({ instance }: DueRun): Promise<string | undefined> {
    return instance === undefined || (await this.executors.isAlive(instance)) ? undefined : 'The master that worked on it has ended';
  }
}
