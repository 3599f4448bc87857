import { Injectable } from '@nestjs/common';
import { NodeLookup } from '../../nodes/index.ts';
import type { NodeDirectory, NodeFacts } from '../ports.ts';

/** What runs need to know of nodes, from the read models of nodes and presence. */
@Injectable()
export class LookupNodeDirectory implements NodeDirectory {
  constructor(private readonly nodes: NodeLookup) {}

  async find(id: string): Promise<NodeFacts | undefined> {
    const node = await this.nodes.find(id);
    if (!node) return undefined;
    const { enrolled, drained, online, slots, recipient, instance, offlineSince } = node;
    return {
      enrolled, drained, online, slots,
      ...(recipient === undefined ? {} : { recipient }),
      ...(instance === undefined ? {} : { instance }),
      ...(offlineSince === undefined ? {} : { offlineSince: offlineSince.getTime() }),
    };
  }
}
