import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { hashPassword, verifyPassword } from '#identity';
import { foldName } from '../../names/index.ts';
import { UserRow } from '../read-models/user.entity.ts';
import { PasswordHash } from '../vault/secrets.entities.ts';

/** Checked against when there is no such user, so that the answer takes as long. */
let decoy: Promise<string> | undefined;

/** What people know. */
@Injectable()
export class Passwords {
  constructor(
    @InjectRepository(UserRow) private readonly users: Repository<UserRow>,
    @InjectRepository(PasswordHash) private readonly hashes: Repository<PasswordHash>,
  ) {}

  /** The user of this id, disabled ones too. */
  async user(id: string): Promise<UserRow | undefined> {
    return (await this.users.findOneBy({ id })) ?? undefined;
  }

  /** The active user of this folded name, when the password is theirs. Takes as long when there is no such user. */
  async check(folded: string, password: string): Promise<UserRow | undefined> {
    const candidates = await this.users.findBy({ status: 'active' });
    const user = candidates.find((candidate) => foldName(candidate.name) === folded);
    const stored = user && (await this.hashes.findOneBy({ user: user.id }));
    decoy ??= hashPassword('no user has this password');
    const matches = await verifyPassword(stored?.hash ?? (await decoy), password);
    return matches && stored ? user : undefined;
  }
}
