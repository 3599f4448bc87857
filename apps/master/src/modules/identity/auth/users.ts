import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { UnitOfWork } from '#event-store';
import { hashPassword } from '#identity';
import type { Refusal, Result } from '#kernel';
import { type CommandContext, Commands, type Role } from '../../../platform/index.ts';
import { rename } from '../../names/index.ts';
import { userDecider } from '../domain/user.decide.ts';
import { PasswordHash } from '../vault/secrets.entities.ts';

/** A user to be. */
export interface NewUser {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}

/** Takes the name and creates the user, in the batch of `unit`. */
export const createUser = async (unit: UnitOfWork, { id, name, role }: NewUser): Promise<Result<unknown, Refusal>> => {
  const named = await rename(unit, { kind: 'user', owner: id, to: name });
  return named.ok ? unit.decide(userDecider, id, { type: 'CreateUser', name, role }) : named;
};

/** People who may log in. */
@Injectable()
export class Users {
  constructor(@InjectRepository(PasswordHash) private readonly passwords: Repository<PasswordHash>, private readonly commands: Commands) {}

  /** Creates a user and returns the id. Throws `name-taken` or `invalid-password`. */
  async create(context: CommandContext, wish: { readonly name: string; readonly role: Role; readonly password: string }): Promise<string> {
    const id = context.newId('user');
    await this.keep(id, wish.password);
    await this.commands.execute(context, (unit) => createUser(unit, { id, name: wish.name, role: wish.role }));
    return id;
  }

  async grant(context: CommandContext, id: string, role: Role): Promise<void> {
    await this.commands.execute(context, (unit) => unit.decide(userDecider, id, { type: 'GrantRole', role }));
  }

  /** Sets a new password; every session of the user ends. */
  async changePassword(context: CommandContext, id: string, password: string): Promise<void> {
    const hash = await hashPassword(password);
    await this.commands.execute(context, (unit) => unit.decide(userDecider, id, { type: 'ChangePassword' }));
    await this.passwords.upsert({ user: id, hash }, ['user']);
  }

  /** The user cannot log in any more and every session ends. */
  async disable(context: CommandContext, id: string): Promise<void> {
    await this.commands.execute(context, (unit) => unit.decide(userDecider, id, { type: 'DisableUser' }));
  }

  /** Keeps the first password of a user; one that is there already stays. */
  async keep(id: string, password: string): Promise<void> {
    await this.passwords.createQueryBuilder().insert().values({ user: id, hash: await hashPassword(password) }).orIgnore().execute();
  }
}
