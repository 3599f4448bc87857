import { Injectable } from '@nestjs/common';
import { isProven } from '#identity';
import { AppError, type Refusal, type Result, err, fault, refuse } from '#kernel';
import { type CommandContext, Commands } from '../../../platform/index.ts';
import { nodeDecider } from '../../nodes/index.ts';
import { Credentials } from '../credentials.service.ts';
import { credentialDecider, credentialId } from '../domain/credential.decide.ts';
import { Challenges } from './challenges.ts';

const invalid = () => fault('unauthorized', 'challenge-invalid', 'This challenge is unknown, answered, expired or signed with another key; ask for a new one');

/** New tokens for keys that nodes have already. */
@Injectable()
export class Renewals {
  constructor(
    private readonly challenges: Challenges,
    private readonly credentials: Credentials,
    private readonly commands: Commands,
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

  /**
   * A token for a challenge that the key has signed; each challenge is answered once. Throws `challenge-invalid`, and
   * after a right signature only: `credential-revoked`, `credential-replaced`, `credential-not-found`.
   */
  async answer(context: CommandContext, signed: { readonly node: string; readonly publicKey: string; readonly nonce: string; readonly proof: string }): Promise<string> {
    const { node, publicKey, nonce, proof } = signed;
    const right = this.challenges.isOurs(node, publicKey, nonce) && isProven(publicKey, proof, 'renew', node, nonce);
    if (!right || !(await this.challenges.spend(node, publicKey, nonce))) throw invalid();
    const renewed = await this.renew(context, node, publicKey);
    if (!renewed.ok) throw new AppError(renewed.error);
    return renewed.value;
  }
}
