import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Sql } from '#event-store';
import { hashBearer, newBearer } from '#identity';
import { type Clock, rfc3339 } from '#kernel';
import { CLOCK, type CommandContext, Commands, type Principal, type Role, SQL } from '../../../platform/index.ts';
import { apiKeyDecider } from '../domain/api-key.decide.ts';
import type { ApiKeyRow } from '../read-models/api-key.entity.ts';
import { ApiKeyHash } from '../vault/secrets.entities.ts';

/** Asked for every request of a program, and never answered from memory: a revoked key is refused at once, by every master. */
const identifyKey = {
  name: 'api key',
  text: `select k.id, k.name, k.role, k.expires_at as "expiresAt" from vault.api_key_hashes h join read.api_keys k on k.id = h.api_key
    where h.hash = $1 and k.status = 'active'`,
};

/** Keys for programs. */
@Injectable()
export class ApiKeys {
  constructor(
    @Inject(SQL) private readonly sql: Sql,
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
    const { rows: [key] } = await this.sql.query<Pick<ApiKeyRow, 'id' | 'name' | 'role' | 'expiresAt'>>({ ...identifyKey, values: [hashBearer(secret)] });
    if (!key) return undefined;
    if (key.expiresAt && key.expiresAt.getTime() <= this.clock.now()) return undefined;
    return { actor: `key:${key.id}`, name: key.name, role: key.role };
  }
}
