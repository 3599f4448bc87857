import { counted } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import { printable } from '../format.ts';
import type { Output } from '../output.ts';
import { nodeNames } from './node-names.ts';
import { type RunView, isFinal } from './run-view.ts';

/** How the children of a parent run stand, in one line. */
export const childrenLine = ({ kind, status, children, waitingReason }: RunView): string => {
  const parts = Object.entries(children?.byStatus ?? {}).map(([what, count]) => `${count} ${what}`);
  return `${kind} ${status}${waitingReason ? `: ${waitingReason}` : ''}  ${counted(children?.total ?? 0, 'node')}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
};

/** Tells each child of a parent run when it ends, by the name of its node. */
export class ChildrenTeller {
  private readonly told = new Map<string, string>();
  private counts = '';
  private names: ReadonlyMap<string, string> = new Map();

  constructor(private readonly api: ApiClient, private readonly parent: string, private readonly output: Output) {}

  /** Asks for the children where their counts say that something has changed. */
  async look(run: RunView): Promise<void> {
    const counts = JSON.stringify(run.children);
    if (counts === this.counts) return;
    const children = await this.api.all<RunView>(`/api/v1/runs?parent=${this.parent}`);
    if (this.names.size === 0) this.names = await nodeNames(this.api);
    for (const child of children.toReversed()) this.tell(child);
    this.counts = counts;
  }

  private tell(child: RunView): void {
    if (this.told.get(child.id) === child.status) return;
    this.told.set(child.id, child.status);
    const { id, node = '', status, code, detail, snapshot } = child;
    const name = this.names.get(node) ?? node;
    this.output.message('child', { run: this.parent, id, node, name, status, ...(code ? { code } : {}), ...(snapshot ? { snapshot } : {}) });
    if (isFinal(child)) this.output.note(`  ${printable(name)}: ${status}${detail ? ` (${printable(detail)} [${code}])` : ''}  ${id}`);
  }
}
