import { Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Refusal, type Result, ok } from '#kernel';
import { type ParentRunRequest, RequestParentHandler, type RequestedRun, RequestRunHandler } from '../../runs/index.ts';
import { parentLane } from '../domain/lane.ts';

/** Requests what a schedule starts in one of its task's lanes. */
@Injectable()
export class ScheduledRequests {
  constructor(private readonly runs: RequestRunHandler, private readonly parents: RequestParentHandler) {}

  /** The runs to send: that of the node; or of a task that chooses its nodes the children that its one parent run begins with. */
  async request(unit: UnitOfWork, wish: ParentRunRequest, lane: string): Promise<Result<readonly RequestedRun[], Refusal>> {
    if (lane === parentLane) return this.parents.request(unit, wish);
    const made = await this.runs.ofTask(unit, { ...wish, node: lane });
    return made.ok ? ok([{ run: made.value, node: lane }]) : made;
  }
}
