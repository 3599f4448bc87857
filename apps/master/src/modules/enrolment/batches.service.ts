import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { UnitOfWork } from '#event-store';
import { newBearer } from '#identity';
import { type Clock, type Refusal, type Result, fault, ok, rfc3339 } from '#kernel';
import { CLOCK, type CommandContext, Commands } from '../../platform/index.ts';
import { foldName, nameDecider, nameId, rename } from '../names/index.ts';
import { nodeDecider } from '../nodes/index.ts';
import { checkBatch, mostNames, namesOf } from './domain/batch.decide.ts';
import { enrolmentDecider } from './domain/enrolment.decide.ts';
import type { InstallOptions } from './domain/enrolment.events.ts';
import { EnrolmentLinks } from './enrolment-links.query.ts';
import { LinkToken } from './vault/link-token.entity.ts';

/** A node of a batch as it is handed out. */
export interface IssuedNode {
  readonly line: number;
  readonly name: string;
  readonly node: string;
  readonly link: string;
  readonly token: string;
}

export interface IssuedBatch {
  readonly id: string;
  readonly expiresAt: string;
  readonly nodes: readonly IssuedNode[];
}

/** Ids of nodes that have one of the names, by the folded name. */
const ownersOf = async (unit: UnitOfWork, names: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const folded = [...new Set(names.map(foldName))];
  const states = await Promise.all(folded.map((name) => unit.load(nameDecider, nameId('node', name))));
  return new Map(states.flatMap(({ state }, i) => (state.status === 'taken' ? [[folded[i] ?? '', state.owner] as const] : [])));
};

/** Nodes and links by the dozen: all or nothing. */
@Injectable()
export class EnrolmentBatches {
  constructor(
    @InjectRepository(LinkToken) private readonly tokens: Repository<LinkToken>,
    private readonly links: EnrolmentLinks,
    private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Adds the nodes of a pasted list with a link each, in one decision. Throws `batch-refused`, which names every line in the way. */
  async issue(context: CommandContext, lines: readonly string[], lifeMs: number, install: InstallOptions): Promise<IssuedBatch> {
    const names = namesOf(lines);
    // What is wrong already without the log is refused below, together with what the log adds.
    const nodes = checkBatch(names, new Map()).ok ? names.map((one) => ({ ...one, node: context.newId('node'), link: context.newId('link'), ...newBearer('hfe') })) : [];
    const id = context.newId('batch');
    const expires = this.clock.now() + lifeMs;
    const expiresAt = rfc3339(expires);
    // Before the events: without them the hashes open nothing.
    if (nodes.length > 0) await this.tokens.insert(nodes.map(({ hash, link, node }) => ({ hash, link, node, expiresAt: new Date(expires) })));
    await this.commands.execute(context, async (unit): Promise<Result<undefined, Refusal>> => {
      const checked = checkBatch(names, await ownersOf(unit, names.slice(0, mostNames).map(({ name }) => name)));
      if (!checked.ok) return checked;
      for (const { name, node, link } of nodes) {
        const added = await this.add(unit, { name, node, link }, { type: 'IssueLink', node, expiresAt, install, batch: id });
        if (!added.ok) return added;
      }
      return ok(undefined);
    });
    return { id, expiresAt, nodes: nodes.map(({ line, name, node, link, token }) => ({ line, name, node, link, token })) };
  }

  /** Takes one link back. Throws `link-not-found`, or `link-used` when an agent was faster. */
  async revoke(context: CommandContext, link: string): Promise<void> {
    await this.commands.execute(context, (unit) => unit.decide(enrolmentDecider, link, { type: 'RevokeLink' }));
  }

  /** Takes back what nobody has used of a batch. Throws `batch-not-found`. */
  async revokeAll(context: CommandContext, batch: string): Promise<{ readonly revoked: number; readonly used: number }> {
    const links = await this.links.ofBatch(batch);
    if (links.length === 0) throw fault('not-found', 'batch-not-found', 'There is no such batch; the list of enrolment links names the batch of each');
    const { value } = await this.commands.execute(context, async (unit) => {
      let [revoked, used] = [0, 0];
      for (const link of links) {
        const decided = await unit.decide(enrolmentDecider, link, { type: 'RevokeLink' });
        if (decided.ok) revoked += decided.value.length;
        else used += 1;
      }
      return ok({ revoked, used });
    });
    return value;
  }

  private async add(
    unit: UnitOfWork, { name, node, link }: Pick<IssuedNode, 'name' | 'node' | 'link'>, issue: Parameters<typeof enrolmentDecider.decide>[0],
  ): Promise<Result<unknown, Refusal>> {
    unit.expectNew(nodeDecider, node);
    unit.expectNew(enrolmentDecider, link);
    const named = await rename(unit, { kind: 'node', owner: node, to: name });
    if (!named.ok) return named;
    const added = await unit.decide(nodeDecider, node, { type: 'AddNode', name, labels: {}, slots: 1 });
    return added.ok ? unit.decide(enrolmentDecider, link, issue) : added;
  }
}
