import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { hashBearer, newBearer } from '#identity';
import { type Clock, rfc3339 } from '#kernel';
import { CLOCK, type CommandContext, Commands, type Principal, type Role } from '../../../platform/index.ts';
import { apiKeyDecider } from '../domain/api-key.decide.ts';
import { ApiKeyRow } from '../read-models/api-key.entity.ts';
import { ApiKeyHash } from '../vault/secrets.entities.ts';

/** Keys for programs. */
@Injectable()
export class ApiKeys {
  constructor(
    @InjectRepository(ApiKeyRow) private readonly rows: Repository<ApiKeyRow>,
    @InjectRepository(ApiKeyHash) private readonly hashes: Repository<ApiKeyHash>,
    private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes a key; its secret is in this answer and nowhere else. */
  async create(context: CommandContext, wish: { readonly name: string; readonly role: Role; readonly expiresAt?: number }): Promise<{ id: string; secret: string }> {
    const id = context.newId('key');
    const { token, hash } = newBearer('hfk');
    // Before the event: a key that exists can be used at once. Without its event the hash opens nothing.
    await this.hashes.insert({ hash, apiKey: id });
    const expiry = wish.expiresAt === undefined ? {} : { expiresAt: rfc3339(wish.expiresAt) };
    await this.commands.execute(context, (unit) =>
      unit.decide(apiKeyDecider, id, { type: 'CreateApiKey', name: wish.name, role: wish.role, ...expiry }));
    return { id, secret: token };
  }

  /** Revokes a key; it is refused from now on. */
  async revoke(context: CommandContext, id: string): Promise<void> {
    await this.commands.execute(context, (unit) => unit.decide(apiKeyDecider, id, { type: 'RevokeApiKey' }));
    await this.hashes.delete({ apiKey: id });
  }

  /** Whose secret this is; undefined when it is unknown, revoked or expired. */
  async identify(secret: string): Promise<Principal | undefined> {
    const key = await this.rows.createQueryBuilder('k')
      .innerJoin(ApiKeyHash, 'h', 'h.apiKey = k.id').where('h.hash = :hash', { hash: hashBearer(secret) }).getOne();
    if (!key || key.status !== 'active') return undefined;
    if (key.expiresAt && key.expiresAt.getTime() <= this.clock.now()) return undefined;
    return { actor: `key:${key.id}`, name: key.name, role: key.role };
  }
}
