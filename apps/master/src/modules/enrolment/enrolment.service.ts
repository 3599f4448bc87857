import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, MoreThan, Repository } from 'typeorm';
import type { UnitOfWork } from '#event-store';
import { type InstallationKeys, hashBearer, isAgeRecipient, isNkey, newBearer } from '#identity';
import { type Clock, type Refusal, type Result, err, fault, ok, parseTime, refuse, rfc3339 } from '#kernel';
import { CLOCK, type CommandContext, Commands, KEYS, RateWindow, invalidRequest } from '../../platform/index.ts';
import { Credentials } from '../credentials/index.ts';
import { type KnownNode, nodeDecider } from '../nodes/index.ts';
import { type EnrolmentState, enrolmentDecider } from './domain/enrolment.decide.ts';
import type { InstallOptions } from './domain/enrolment.events.ts';
import type { EnrolRequest } from './http/enrolment.dto.ts';
import { LinkToken } from './vault/link-token.entity.ts';

/** A link as it is handed out. */
export interface IssuedLink {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string;
}

/** What a token opens, or opened. */
export interface SeenLink {
  readonly node: string;
  readonly name: string;
  /** `expired` from the moment its time has passed. */
  readonly status: Exclude<EnrolmentState['status'], 'absent'>;
  /** What it was made with; absent unless it is open. */
  readonly install?: InstallOptions;
}

/** A node that has just enrolled. */
export interface Enrolled {
  readonly node: string;
  readonly name: string;
  readonly jwt: string;
}

/** Links for one node in a minute. */
const mostLinks = 10;

const nodeOf = async (unit: UnitOfWork, id: string): Promise<Result<KnownNode, Refusal>> => {
  const { state } = await unit.load(nodeDecider, id);
  return state.status === 'known'
    ? ok(state)
    : err(refuse('not-found', 'node-not-found', 'There is no such node; list the nodes to see which there are'));
};

/** One-time links, and what an agent gets for one. */
@Injectable()
export class Enrolment {
  private readonly window: RateWindow;

  constructor(
    @InjectRepository(LinkToken) private readonly tokens: Repository<LinkToken>,
    private readonly credentials: Credentials,
    private readonly commands: Commands,
    @Inject(KEYS) readonly keys: InstallationKeys,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.window = new RateWindow(clock, mostLinks, 'This node has been given too many links; use the last one, or wait a minute and try again');
  }

  /** Makes a link for a node. Throws `node-not-found` and `too-many-requests`. */
  async issue(context: CommandContext, node: string, lifeMs: number, install?: InstallOptions): Promise<IssuedLink> {
    this.window.take(node);
    const id = context.newId('link');
    const { token, hash } = newBearer('hfe');
    const expires = this.clock.now() + lifeMs;
    const expiresAt = rfc3339(expires);
    // Before the event: without it the hash opens nothing.
    await this.tokens.insert({ hash, link: id, node, expiresAt: new Date(expires) });
    await this.commands.execute(context, async (unit) => {
      const known = await nodeOf(unit, node);
      return known.ok ? unit.decide(enrolmentDecider, id, { type: 'IssueLink', node, expiresAt, ...(install ? { install } : {}) }) : known;
    });
    return { id, token, expiresAt };
  }

  /**
   * Spends a link: the agent's keys become the node's, all earlier ones are revoked at once, one that is in its grace too. The node may have
   * been enrolled before: it keeps its id, history and repository. The same agent may ask again with the same keys.
   * Throws `link-invalid`, `key-revoked` or `key-of-another-node`.
   */
  async enrol(context: CommandContext, request: EnrolRequest): Promise<Enrolled> {
    const { token, publicKey, recipient } = request;
    if (!isNkey('user', publicKey)) throw invalidRequest([{ field: 'publicKey', detail: 'publicKey must be a NATS user key with a right checksum' }]);
    if (!isAgeRecipient(recipient)) throw invalidRequest([{ field: 'recipient', detail: 'recipient must be an age recipient with a right checksum' }]);
    const found = await this.tokens.findOneBy({ hash: hashBearer(token) });
    if (!found) throw fault('unauthorized', 'link-invalid', 'This enrolment link is unknown, spent or expired; ask the operator for a new one');
    const now = context.time;
    const { value } = await this.commands.execute({ ...context, actor: `node:${found.node}` }, (unit) => this.decide(unit, { ...request, now, link: found.link, node: found.node }));
    return value;
  }

  /** What this token opens now; spends nothing. Undefined for one that was never handed out or is long over. */
  async look(context: CommandContext, token: string): Promise<SeenLink | undefined> {
    const found = await this.tokens.findOneBy({ hash: hashBearer(token) });
    if (!found) return undefined;
    const seen = await this.commands.execute(context, async (unit): Promise<Result<SeenLink | undefined, Refusal>> => {
      const { state } = await unit.load(enrolmentDecider, found.link);
      const known = await nodeOf(unit, found.node);
      if (state.status === 'absent' || !known.ok) return ok(undefined);
      const over = state.status === 'open' && parseTime(context.time) >= parseTime(state.expiresAt);
      const open = state.status === 'open' && !over;
      return ok({ node: found.node, name: known.value.name, status: over ? 'expired' : state.status, ...(open && state.install ? { install: state.install } : {}) });
    });
    return seen.value;
  }

  /** Takes back the open links of a node: whoever has one could bring the node back after it was cut off. */
  async takeBack(unit: UnitOfWork, node: string): Promise<Result<number, Refusal>> {
    const open = await this.tokens.findBy({ node, expiresAt: MoreThan(new Date(this.clock.now())) });
    let taken = 0;
    for (const { link } of open) {
      const decided = await unit.decide(enrolmentDecider, link, { type: 'RevokeLink' });
      // One that an agent has used is over; the key that it brought is revoked with the others.
      if (decided.ok) taken += decided.value.length;
    }
    return ok(taken);
  }

  /** Removes hashes of links that are over. */
  async forget(): Promise<void> {
    await this.tokens.delete({ expiresAt: LessThan(new Date(this.clock.now() - 86_400_000)) });
  }

  private async decide(unit: UnitOfWork, wish: EnrolRequest & { readonly now: string; readonly link: string; readonly node: string }): Promise<Result<Enrolled, Refusal>> {
    const { now, link, node, publicKey, recipient, host } = wish;
    const consumed = await unit.decide(enrolmentDecider, link, { type: 'ConsumeLink', publicKey, now });
    if (!consumed.ok) return consumed;
    const known = await nodeOf(unit, node);
    if (!known.ok) return known;
    const revoked = await this.credentials.revokeAll(unit, node, 'enrolled anew', publicKey);
    if (!revoked.ok) return revoked;
    const issued = await this.credentials.issue(unit, node, publicKey, now);
    if (!issued.ok) return issued;
    const enrolled = await unit.decide(nodeDecider, node, { type: 'EnrolNode', publicKey, recipient, host: { ...host } });
    return enrolled.ok ? ok({ node, name: known.value.name, jwt: this.credentials.token(issued.value) }) : enrolled;
  }
}
