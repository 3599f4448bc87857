import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import type { Vault } from '#identity';
import { type Clock, fault } from '#kernel';
import { CLOCK, VAULT } from '../tokens.ts';
import { IdempotencyKey } from './idempotency-key.entity.ts';

/** Milliseconds after which a write that was never answered (its master died) may be done again. */
const abandonedMs = 60_000;
/** Milliseconds for which an answer is kept. */
const keptMs = 24 * 3_600_000;

/** A write with an idempotency key. */
export interface KeyedWrite {
  readonly sender: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** An answer as it was given. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: unknown;
}

const purpose = ({ sender, key }: KeyedWrite): string => `idempotency:${sender}:${key}`;

/** Which writes were begun and how they were answered. */
@Injectable()
export class IdempotencyStore {
  constructor(
    @InjectRepository(IdempotencyKey) private readonly rows: Repository<IdempotencyKey>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(VAULT) private readonly vault: Vault,
  ) {}

  /**
   * The kept answer, or undefined when the caller shall do the work now. Throws `idempotency-key-reused` (422) when the key stands
   * for another request, `idempotency-key-in-use` (409) while the first is still being worked on.
   */
  async begin(write: KeyedWrite): Promise<KeptAnswer | undefined> {
    if (await this.insert(write)) return undefined;
    const row = await this.rows.findOneBy({ sender: write.sender, key: write.key });
    if (!row) return this.begin(write);
    if (row.fingerprint !== write.fingerprint) {
      throw fault('refused', 'idempotency-key-reused', 'This Idempotency-Key was sent with another request; make a new key for each request');
    }
    if (row.status !== null && row.sealedAnswer !== null) {
      const answer = this.vault.open(row.sealedAnswer, purpose(write));
      return { status: row.status, body: JSON.parse(Buffer.from(answer).toString('utf8')) as unknown };
    }
    if (await this.takeOver(row)) return undefined;
    throw fault('conflict', 'idempotency-key-in-use', 'The first request with this Idempotency-Key is still being worked on; ask again in a moment');
  }

  /** Keeps the answer. */
  async finish(write: KeyedWrite, answer: KeptAnswer): Promise<void> {
    const sealedAnswer = Buffer.from(this.vault.seal(Buffer.from(JSON.stringify(answer.body ?? null)), purpose(write)));
    await this.rows.update({ sender: write.sender, key: write.key }, { status: answer.status, sealedAnswer });
  }

  /** Forgets a write that failed: the next one with this key is decided anew. */
  async forget(write: KeyedWrite): Promise<void> {
    await this.rows.delete({ sender: write.sender, key: write.key, fingerprint: write.fingerprint });
  }

  /** Removes what is older than a day. */
  async expire(): Promise<void> {
    await this.rows.delete({ begunAt: LessThan(new Date(this.clock.now() - keptMs)) });
  }

  private async insert({ sender, key, fingerprint }: KeyedWrite): Promise<boolean> {
    const values = { sender, key, fingerprint, begunAt: new Date(this.clock.now()) };
    const inserted = await this.rows.createQueryBuilder().insert().values(values).orIgnore().returning('key').execute();
    return (inserted.raw as unknown[]).length > 0;
  }

  private async takeOver({ sender, key, begunAt }: IdempotencyKey): Promise<boolean> {
    if (begunAt.getTime() > this.clock.now() - abandonedMs) return false;
    const taken = await this.rows.update({ sender, key, begunAt }, { begunAt: new Date(this.clock.now()) });
    return taken.affected === 1;
  }
}
