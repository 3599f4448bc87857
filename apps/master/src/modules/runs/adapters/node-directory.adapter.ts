import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { NodeLookup } from '../../nodes/index.ts';
import { PresenceRow } from '../../presence/index.ts';
import type { NodeDirectory, NodeFacts } from '../ports.ts';

/** What runs need to know of nodes, from the read models of nodes and presence. */
@Injectable()
export class LookupNodeDirectory implements NodeDirectory {
  constructor(private readonly nodes: NodeLookup, @InjectRepository(PresenceRow) private readonly presence: Repository<PresenceRow>) {}

  async find(id: string): Promise<NodeFacts | undefined> {
    const [node, presence] = await Promise.all([this.nodes.find(id), this.presence.findOneBy({ node: id })]);
    if (!node) return undefined;
    const { enrolled, drained, online, slots, recipient, instance } = node;
    return {
      enrolled, drained, online, slots,
      ...(recipient === undefined ? {} : { recipient }),
      ...(instance === undefined ? {} : { instance }),
      ...(presence?.status === 'offline' ? { offlineSince: presence.since.getTime() } : {}),
    };
  }
}
