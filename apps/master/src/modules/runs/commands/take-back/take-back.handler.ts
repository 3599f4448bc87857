import { Inject, Injectable } from '@nestjs/common';
import { notClaimed } from '../../domain/run.absence.ts';
import { Deciding } from '../../deciding.ts';
import { type DueRun, NODE_DIRECTORY, type NodeDirectory } from '../../ports.ts';
import { decideRun } from '../decide-run.ts';
import { PlaceChildHandler } from '../place-child/place-child.handler.ts';

/** Takes back what was sent and not claimed in time: it waits for its node once more, is placed on another one, or has waited long enough. */
@Injectable()
export class TakeBackHandler {
  constructor(
    private readonly deciding: Deciding,
    private readonly placing: PlaceChildHandler,
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
  ) {}

  /** Takes the attempt of the row back, if it is still the one to claim. */
  async takeBack({ id, node, attempt }: DueRun): Promise<void> {
    const online = (await this.nodes.find(node))?.online ?? false;
    const reason = online
      ? { code: notClaimed, detail: 'The agent did not claim the run in time' }
      : { code: 'node-offline', detail: 'The node was offline; the run waits for it' };
    const now = this.deciding.now();
    await this.deciding.execute('system:dispatch', (unit) => decideRun(unit, id, { type: 'ReturnRun', attempt, online, now, ...reason }));
    if (online) await this.placeElsewhere(id);
  }

  /** Where the run is the child of a parent of `any`, another node is looked for before it is sent to the same one again. */
  private async placeElsewhere(run: string): Promise<void> {
    const child = await this.deciding.run(run);
    if (child.status !== 'queued' || child.order.parent === undefined) return;
    const parent = await this.deciding.parent(child.order.parent);
    if (parent.status === 'open' && parent.order.mode === 'any') await this.placing.place(child.order.parent, { run, node: child.order.node });
  }
}
