import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '#kernel';
import type { Follower } from '#projections';
import { CLOCK, FOLLOWER } from '../../../platform/index.ts';
import { type Labels, NodeLookup, type NodeView } from '../../nodes/index.ts';
import type { NodeDirectory, NodeFacts } from '../ports.ts';

/** Types of the aggregates that the facts are about; both have the id of the node. */
const about = new Set(['node', 'presence']);

const factsOf = ({ enrolled, drained, disabled, online, slots, recipient, instance, enrolledAt, gate, offlineSince }: NodeView): NodeFacts => ({
  enrolled, drained, disabled, online, slots,
  ...(recipient === undefined ? {} : { recipient }),
  ...(instance === undefined ? {} : { instance }),
  ...(enrolledAt === undefined ? {} : { enrolledAt: enrolledAt.getTime() }),
  ...(gate === undefined ? {} : { gate }),
  ...(offlineSince === undefined ? {} : { offlineSince: offlineSince.getTime() }),
});

/**
 * Milliseconds for which facts are kept without an event. A database that crashed shows rows of a moment earlier until the log is read again,
 * and no event tells of that: what was read then must not stay.
 */
const keptMs = 5_000;

interface Kept {
  readonly facts: NodeFacts;
  /** Monotonic. */
  readonly until: number;
}

/** What runs need to know of nodes, from the read models of nodes and presence. Asked for every run, so kept for a moment, or until an event changes it. */
@Injectable()
export class LookupNodeDirectory implements NodeDirectory {
  private readonly known = new Map<string, Kept>();
  private changes = 0;

  constructor(
    private readonly nodes: NodeLookup,
    @Inject(FOLLOWER) follower: Pick<Follower, 'onEvents'>,
    @Inject(CLOCK) private readonly clock: Pick<Clock, 'monotonic'>,
  ) {
    follower.onEvents((events) => {
      for (const { aggregate } of events) if (about.has(aggregate.type)) this.forget(aggregate.id);
    });
  }

  async find(id: string): Promise<NodeFacts | undefined> {
    const known = this.known.get(id);
    const now = this.clock.monotonic();
    if (known && now < known.until) return known.facts;
    const before = this.changes;
    const node = await this.nodes.find(id);
    if (!node) return undefined;
    const facts = factsOf(node);
    // An event that came while the rows were read may be missing in them.
    if (this.changes === before) this.known.set(id, { facts, until: now + keptMs });
    return facts;
  }

  heard(node: string, instance: string, since: number): Promise<boolean> {
    return this.nodes.heard(node, instance, new Date(since));
  }

  async matching(selector: Labels): Promise<readonly (NodeFacts & { readonly id: string })[]> {
    return (await this.nodes.matching(selector)).map((node) => ({ id: node.id, ...factsOf(node) }));
  }

  private forget(node: string): void {
    this.changes++;
    this.known.delete(node);
  }
}
