import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import type { UnitOfWork } from '#event-store';
import { type InstallationKeys, issueNodeToken } from '#identity';
import { type Clock, type Refusal, type Result, err, ok, parseTime, rfc3339 } from '#kernel';
import { CLOCK, CONFIG, type CommandContext, Commands, KEYS, type MasterConfig } from '../../platform/index.ts';
import { nodeDecider } from '../nodes/index.ts';
import { ClaimsProcess } from './claims.process.ts';
import { credentialDecider, credentialId, unknownCredential } from './domain/credential.decide.ts';
import type { KnownCredential } from './domain/credential.state.ts';
import { CredentialRow } from './read-models/credential.entity.ts';

/** The facts that a token is made of: the same facts give the same token every time. */
export type TokenFacts = Pick<KnownCredential, 'node' | 'publicKey' | 'issuedAt' | 'expiresAt'>;

/** Issues and revokes what nodes connect with. */
@Injectable()
export class Credentials {
  constructor(
    @InjectRepository(CredentialRow) private readonly rows: Repository<CredentialRow>,
    private readonly commands: Commands,
    private readonly claims: ClaimsProcess,
    @Inject(CONFIG) private readonly config: MasterConfig,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** When a token ends that is signed now. RFC 3339, whole seconds. */
  endOf(now: string): string {
    return rfc3339((Math.floor(parseTime(now) / 1000) + this.config.credentialLife) * 1000);
  }

  /** Decides, in the batch of `unit`, that this key is the node's; gives the facts of its token. Refuses keys that were revoked or are another node's. */
  async issue(unit: UnitOfWork, node: string, publicKey: string, now: string, by?: { rotation: string; replaces: string }): Promise<Result<TokenFacts, Refusal>> {
    const issued = await unit.decide(credentialDecider, credentialId(publicKey), { type: 'IssueCredential', node, publicKey, now, expiresAt: this.endOf(now), ...(by ? { by } : {}) });
    return issued.ok ? this.find(unit, publicKey) : issued;
  }

  /** A key as the batch of `unit` leaves it. Refuses one that was never issued (`credential-not-found`). */
  async find(unit: UnitOfWork, publicKey: string): Promise<Result<KnownCredential, Refusal>> {
    const { state } = await unit.load(credentialDecider, credentialId(publicKey));
    return state.status === 'absent' ? err(unknownCredential) : ok(state);
  }

  /** The signed token of a key that was issued. */
  token({ node, publicKey, issuedAt, expiresAt }: TokenFacts): string {
    const now = parseTime(issuedAt);
    const lifeSeconds = Math.floor(parseTime(expiresAt) / 1000) - Math.floor(now / 1000);
    return issueNodeToken(this.keys, { nodeId: node, publicKey, now, lifeSeconds }).jwt;
  }

  /** Decides, in the batch of `unit`, that all keys of a node but `kept` are worthless from now on. */
  async revokeAll(unit: UnitOfWork, node: string, reason: string, kept?: string): Promise<Result<unknown, Refusal>> {
    const now = rfc3339(this.clock.now());
    for (const publicKey of await this.liveKeys(unit, node)) {
      if (publicKey === kept) continue;
      const revoked = await unit.decide(credentialDecider, credentialId(publicKey), { type: 'RevokeCredential', now, reason });
      if (!revoked.ok) return revoked;
    }
    return ok(undefined);
  }

  /**
   * Revokes all keys of a node: its agent is cut off when this resolves, and must enrol anew with a link. Throws what the claims throw
   * when the NATS servers do not confirm; the revocation stands all the same, and goes on being tried.
   */
  async revoke(context: CommandContext, node: string, reason: string, also: (unit: UnitOfWork) => Promise<Result<unknown, Refusal>>): Promise<void> {
    await this.commands.execute(context, async (unit) => {
      const revoked = await this.revokeAll(unit, node, reason);
      return revoked.ok ? also(unit) : revoked;
    });
    await this.claims.pass();
  }

  /** The keys that a node has and had, newest first. */
  list(node: string): Promise<CredentialRow[]> {
    return this.rows.find({ where: { node }, order: { firstIssuedAt: 'DESC', id: 'ASC' } });
  }

  /** The read model may be a moment behind: what came last is found in the log, from the node's key back to one that is revoked. */
  private async liveKeys(unit: UnitOfWork, node: string): Promise<Set<string>> {
    const rows = await this.rows.findBy({ node, status: In(['issued', 'rotated']) });
    const live = new Set(rows.map((row) => row.publicKey));
    const { state } = await unit.load(nodeDecider, node);
    let next = state.status === 'known' ? state.enrolment?.publicKey : undefined;
    while (next !== undefined) {
      const { state: key } = await unit.load(credentialDecider, credentialId(next));
      if (key.status === 'absent' || key.status === 'revoked') break;
      live.add(next);
      next = key.replaces;
    }
    return live;
  }
}
