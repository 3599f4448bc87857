import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { UnitOfWork } from '#event-store';
import { type InstallationKeys, issueNodeToken, nodeTokenDays } from '#identity';
import { type Clock, type Refusal, type Result, ok, parseTime, rfc3339 } from '#kernel';
import { CLOCK, type CommandContext, Commands, KEYS } from '../../platform/index.ts';
import { nodeDecider } from '../nodes/index.ts';
import { credentialDecider, credentialId } from './domain/credential.decide.ts';
import { CredentialRow } from './read-models/credential.entity.ts';

const dayMs = 86_400_000;

/** Issues and revokes what nodes connect with. */
@Injectable()
export class Credentials {
  constructor(
    @InjectRepository(CredentialRow) private readonly rows: Repository<CredentialRow>,
    private readonly commands: Commands,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Decides, in the batch of `unit`, that this key is the node's. Throws nothing; refuses keys that were revoked or are another node's. */
  async issue(unit: UnitOfWork, node: string, publicKey: string, now: string): Promise<Result<unknown, Refusal>> {
    const expiresAt = rfc3339(Math.floor(parseTime(now) / 1000) * 1000 + nodeTokenDays * dayMs);
    return unit.decide(credentialDecider, credentialId(publicKey), { type: 'IssueCredential', node, publicKey, now, expiresAt });
  }

  /** The signed token of a key that was issued: the same facts give the same permissions every time. */
  token(node: string, publicKey: string, issuedAt: string): string {
    return issueNodeToken(this.keys, { nodeId: node, publicKey, now: parseTime(issuedAt) }).jwt;
  }

  /** Decides, in the batch of `unit`, that one key is worthless from now on. */
  async revokeKey(unit: UnitOfWork, publicKey: string, reason: string): Promise<Result<unknown, Refusal>> {
    return unit.decide(credentialDecider, credentialId(publicKey), { type: 'RevokeCredential', now: rfc3339(this.clock.now()), reason });
  }

  /** Decides, in the batch of `unit`, that all keys of a node are worthless from now on. */
  async revokeAll(unit: UnitOfWork, node: string, reason: string): Promise<Result<unknown, Refusal>> {
    const issued = await this.rows.findBy({ node, status: 'issued' });
    const { state } = await unit.load(nodeDecider, node);
    const current = state.status === 'known' && state.enrolment ? [state.enrolment.publicKey] : [];
    for (const publicKey of new Set([...issued.map((row) => row.publicKey), ...current])) {
      const revoked = await this.revokeKey(unit, publicKey, reason);
      if (!revoked.ok) return revoked;
    }
    return ok(undefined);
  }

  /** Revokes all keys of a node: its agent is cut off at once and must enrol anew with a link. */
  async revoke(context: CommandContext, node: string, reason: string): Promise<void> {
    await this.commands.execute(context, (unit) => this.revokeAll(unit, node, reason));
  }

  /** The keys of a node, newest first. */
  list(node: string): Promise<CredentialRow[]> {
    return this.rows.find({ where: { node }, order: { issuedAt: 'DESC', id: 'ASC' } });
  }
}
