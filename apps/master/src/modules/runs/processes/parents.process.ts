import { Inject, Injectable } from '@nestjs/common';
import { ok } from '#kernel';
import { CancelRunHandler } from '../commands/cancel-run/cancel-run.handler.ts';
import { decideParent } from '../commands/decide-parent.ts';
import { PlaceChildHandler } from '../commands/place-child/place-child.handler.ts';
import { StartChildrenHandler } from '../commands/start-children/start-children.handler.ts';
import { Deciding } from '../deciding.ts';
import { parentDecider } from '../domain/parent.decide.ts';
import type { ChildRun } from '../domain/parent.events.ts';
import { type ExistingParent, isParentEnded } from '../domain/parent.state.ts';
import { notClaimed } from '../domain/run.absence.ts';
import { runDecider } from '../domain/run.decide.ts';
import { isEnded, type TerminalStatus } from '../domain/run.state.ts';
import { type ChildRow, PARENT_ROWS, type ParentRows } from '../ports.ts';

/** Children cancelled side by side. */
const atOnce = 16;

const isOpen = ({ status }: ChildRow): boolean => ['queued', 'dispatched', 'running', 'cancel-requested'].includes(status);

/**
 * Brings parent runs forward from wherever they stand: begins their children, places, moves, cancels, and ends the whole when all have ended.
 * It keeps no position; what was done is in the log, and two masters meet in the parent's expected sequence.
 */
@Injectable()
export class ParentsProcess {
  constructor(
    private readonly deciding: Deciding,
    private readonly children: StartChildrenHandler,
    private readonly placing: PlaceChildHandler,
    private readonly cancels: CancelRunHandler,
    @Inject(PARENT_ROWS) private readonly rows: ParentRows,
  ) {}

  /** One pass of the duty. */
  async pass(): Promise<void> {
    for (const id of await this.rows.due()) await this.advance(id);
  }

  /** Does what is due for one parent. */
  async advance(id: string): Promise<void> {
    const state = await this.deciding.parent(id);
    if (state.status === 'absent' || isParentEnded(state)) return;
    const rows = await this.rows.children(id);
    if (state.status === 'cancelling') await this.cancel(rows.filter((row) => isOpen(row) && row.status !== 'cancel-requested'));
    else if (state.waiting.length > 0) return this.children.start(id);
    else if (state.order.mode === 'any' && (await this.isPlaced(id, state.children, rows))) return;
    if (this.mayHaveEnded(state, rows)) await this.end(id);
  }

  /** Whether a place was found, or is to be waited for, which is not to be taken for an end. */
  private async isPlaced(id: string, [child]: readonly ChildRun[], rows: readonly ChildRow[]): Promise<boolean> {
    const row = rows.find((one) => one.id === child?.run);
    const gone = row?.status === 'cancelled' && row.code === 'node-removed';
    if (child && !gone && !(row && (await this.isToMove(row)))) return false;
    return (await this.placing.place(id, child)) || gone;
  }

  /** It never began, and its node went away or did not claim it. What has begun stays where it is. */
  private async isToMove({ status, started, node, code }: ChildRow): Promise<boolean> {
    return status === 'queued' && !started && (code === notClaimed || (await this.placing.isAway(node)));
  }

  private async cancel(rows: readonly ChildRow[]): Promise<void> {
    for (let from = 0; from < rows.length; from += atOnce) {
      await Promise.all(rows.slice(from, from + atOnce).map(({ id }) => this.cancels.ofParent(id)));
    }
  }

  /** As far as the rows know; the decision asks the log. */
  private mayHaveEnded({ status, children }: ExistingParent, rows: readonly ChildRow[]): boolean {
    return !rows.some(isOpen) && (status === 'cancelling' || rows.length >= children.length);
  }

  private async end(id: string): Promise<void> {
    await this.deciding.execute('system:placement', async (unit) => {
      const { state } = await unit.load(parentDecider, id);
      if (state.status === 'absent') return ok([]);
      const found = await Promise.all(state.children.map(async ({ run }) => [run, (await unit.load(runDecider, run)).state] as const));
      const ended = new Map<string, TerminalStatus>(found.flatMap(([run, child]) => (isEnded(child) ? [[run, child.status] as const] : [])));
      return decideParent(unit, id, { type: 'EndParent', ended });
    });
  }
}
