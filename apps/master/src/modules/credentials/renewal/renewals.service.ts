import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, MoreThan, Repository } from 'typeorm';
import { isProven } from '#identity';
import { AppError, type Clock, type Refusal, type Result, err, fault, refuse, rfc3339 } from '#kernel';
import { CLOCK, type CommandContext, Commands } from '../../../platform/index.ts';
import { nodeDecider } from '../../nodes/index.ts';
import { Credentials } from '../credentials.service.ts';
import { credentialDecider, credentialId } from '../domain/credential.decide.ts';
import { CredentialChallenge } from '../vault/challenge.entity.ts';

const lifeMs = 60_000;
/** Challenges of one key that may be open at the same time. */
const most = 8;

/** What a host signs to get a token. */
export interface Challenge {
  readonly nonce: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

const invalid = () => fault('unauthorized', 'challenge-invalid', 'This challenge is unknown, answered, expired or signed with another key; ask for a new one');

/** New tokens for keys that nodes have already. */
@Injectable()
export class Renewals {
  constructor(
    @InjectRepository(CredentialChallenge) private readonly challenges: Repository<CredentialChallenge>,
    private readonly credentials: Credentials,
    private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Signs a token for a key whose owner has proven that he has it. Refuses what is revoked, replaced, removed or another node's. */
  async renew(context: CommandContext, node: string, publicKey: string): Promise<Result<string, Refusal>> {
    const decided = await this.commands.attempt({ ...context, actor: `node:${node}` }, async (unit) => {
      const [owner, key] = [await unit.load(nodeDecider, node), await this.credentials.find(unit, publicKey)];
      if (!key.ok) return key;
      if (key.value.node !== node) return err(refuse('refused', 'key-of-another-node', 'This key belongs to another node'));
      if (owner.state.status !== 'known') return err(refuse('refused', 'credential-revoked', 'The node was removed; its keys are worthless'));
      const renewed = await unit.decide(credentialDecider, credentialId(publicKey), { type: 'RenewCredential', now: context.time, expiresAt: this.credentials.endOf(context.time) });
      return renewed.ok ? this.credentials.find(unit, publicKey) : renewed;
    });
    return decided.ok ? { ok: true, value: this.credentials.token(decided.value.value) } : decided;
  }

  /** A word to sign. Says nothing of whether there is such a node or key. Throws `too-many-requests`. */
  async challenge(node: string, publicKey: string): Promise<Challenge> {
    const now = this.clock.now();
    const open = await this.challenges.countBy({ publicKey, expiresAt: MoreThan(new Date(now)) });
    if (open >= most) throw fault('rate-limited', 'too-many-requests', 'Too many challenges of this key are open; wait a minute and try again');
    const nonce = randomBytes(24).toString('base64url');
    await this.challenges.insert({ nonce, node, publicKey, expiresAt: new Date(now + lifeMs) });
    return { nonce, expiresAt: rfc3339(now + lifeMs) };
  }

  /**
   * A token for a challenge that the key has signed; each challenge is answered once, rightly or not. Throws `challenge-invalid`, and
   * after a right signature only: `credential-revoked`, `credential-replaced`, `credential-not-found`.
   */
  async answer(context: CommandContext, signed: { readonly node: string; readonly publicKey: string; readonly nonce: string; readonly proof: string }): Promise<string> {
    const { node, publicKey, nonce, proof } = signed;
    const { affected } = await this.challenges.delete({ nonce, node, publicKey, expiresAt: MoreThan(new Date(this.clock.now())) });
    if (affected !== 1 || !isProven(publicKey, proof, 'renew', node, nonce)) throw invalid();
    const renewed = await this.renew(context, node, publicKey);
    if (!renewed.ok) throw new AppError(renewed.error);
    return renewed.value;
  }

  /** Removes challenges that nobody answered. */
  async forget(): Promise<void> {
    await this.challenges.delete({ expiresAt: LessThan(new Date(this.clock.now())) });
  }
}
