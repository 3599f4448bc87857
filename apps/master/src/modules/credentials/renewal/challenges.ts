import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { type InstallationKeys, deriveKey } from '#identity';
import { type Clock, rfc3339 } from '#kernel';
import { CLOCK, KEYS } from '../../../platform/index.ts';
import { CredentialChallenge } from '../vault/challenge.entity.ts';

const lifeMs = 60_000;

/** What a host signs to get a token. */
export interface Challenge {
  readonly nonce: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/**
 * Words for hosts to sign. A word carries its own end and a seal that every master can make, so that asking for one, which needs no proof
 * of anything, writes nothing down and keeps nobody else from asking. Only one that was signed rightly is remembered, until it would end.
 */
@Injectable()
export class Challenges {
  private readonly key: Uint8Array;

  constructor(
    @InjectRepository(CredentialChallenge) private readonly spent: Repository<CredentialChallenge>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) keys: InstallationKeys,
  ) {
    this.key = deriveKey(keys.cryptoSecret, 'credential challenges');
  }

  /** A new word for this node and key; says nothing of whether there are such. */
  make(node: string, publicKey: string): Challenge {
    const expiresAt = this.clock.now() + lifeMs;
    const word = `${randomBytes(16).toString('base64url')}.${expiresAt.toString(36)}`;
    return { nonce: `${word}.${this.seal(node, publicKey, word)}`, expiresAt: rfc3339(expiresAt) };
  }

  /** True for a word that some master made for this node and key and that has not ended. */
  isOurs(node: string, publicKey: string, nonce: string): boolean {
    const [random = '', end = '', seal = ''] = nonce.split('.');
    const expected = Buffer.from(this.seal(node, publicKey, `${random}.${end}`));
    const given = Buffer.from(seal);
    return expected.length === given.length && timingSafeEqual(expected, given) && Number.parseInt(end, 36) > this.clock.now();
  }

  /** False when the word was spent before, here or by another master. Ask only after its signature was found right. */
  async spend(node: string, publicKey: string, nonce: string): Promise<boolean> {
    const row = { nonce, node, publicKey, expiresAt: new Date(this.clock.now() + lifeMs) };
    const inserted = await this.spent.createQueryBuilder().insert().values(row).orIgnore().returning('nonce').execute();
    return (inserted.raw as unknown[]).length === 1;
  }

  /** Removes words that would have ended by now. */
  async forget(): Promise<void> {
    await this.spent.delete({ expiresAt: LessThan(new Date(this.clock.now())) });
  }

  private seal(node: string, publicKey: string, word: string): string {
    return createHmac('sha256', this.key).update([node, publicKey, word].join('\0')).digest('base64url');
  }
}
