import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { type InstallationKeys, deriveKey, hashBearer, hashPassword, newBearer, verifyPassword } from '#identity';
import { type Clock, fault } from '#kernel';
import { foldName } from '../../names/index.ts';
import { CLOCK, CONFIG, KEYS, type MasterConfig } from '../../../platform/index.ts';
import { UserRow } from '../read-models/user.entity.ts';
import { PasswordHash, Session } from '../vault/secrets.entities.ts';
import { LoginLimiter } from './login-limiter.ts';
import { signCookie, verifyCookie } from './session-cookie.ts';

/** Milliseconds that a log-in lasts. */
export const sessionMs = 12 * 3_600_000;

const wrong = () => fault('unauthorized', 'wrong-credentials', 'The name or the password is wrong; correct them and try again');

/** Checked against when there is no such user, so that the answer takes as long. */
let decoy: Promise<string> | undefined;

/** Log-ins of people. */
@Injectable()
export class Sessions {
  private readonly key: Uint8Array;

  constructor(
    @InjectRepository(UserRow) private readonly users: Repository<UserRow>,
    @InjectRepository(PasswordHash) private readonly passwords: Repository<PasswordHash>,
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly limiter: LoginLimiter,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) keys: InstallationKeys,
    @Inject(CONFIG) config: MasterConfig,
  ) {
    this.key = deriveKey(config.sessionSecret ? Buffer.from(config.sessionSecret) : keys.cryptoSecret, 'session');
  }

  /** The user and the cookie's value. Throws `wrong-credentials` (401) or `too-many-logins` (429). */
  async begin(name: string, password: string, from: string): Promise<{ readonly user: UserRow; readonly cookie: string }> {
    const folded = foldName(name);
    await this.limiter.check(folded, from);
    const user = await this.check(folded, password);
    if (!user) {
      await this.limiter.failed(folded, from);
      throw wrong();
    }
    await this.limiter.succeeded(folded);
    const { token, hash } = newBearer('hfs');
    const beganAt = new Date(this.clock.now());
    await this.sessions.insert({ hash, user: user.id, beganAt, expiresAt: new Date(beganAt.getTime() + sessionMs), from });
    return { user, cookie: signCookie(this.key, token) };
  }

  /** Whose session a cookie's value is; undefined when it is nobody's, is over, or its user is disabled or has a new password. */
  async find(cookie: string): Promise<UserRow | undefined> {
    const token = verifyCookie(this.key, cookie);
    const session = token === undefined ? null : await this.sessions.findOneBy({ hash: hashBearer(token) });
    if (!session || session.expiresAt.getTime() <= this.clock.now()) return undefined;
    const user = await this.users.findOneBy({ id: session.user });
    return user?.status === 'active' && session.beganAt >= user.sessionsFrom ? user : undefined;
  }

  /** Logs out. */
  async end(cookie: string): Promise<void> {
    const token = verifyCookie(this.key, cookie);
    if (token !== undefined) await this.sessions.delete({ hash: hashBearer(token) });
  }

  /** Removes sessions that are over. */
  async expire(): Promise<void> {
    await this.sessions.delete({ expiresAt: LessThan(new Date(this.clock.now())) });
  }

  private async check(folded: string, password: string): Promise<UserRow | undefined> {
    const candidates = await this.users.findBy({ status: 'active' });
    const user = candidates.find((candidate) => foldName(candidate.name) === folded);
    const stored = user && (await this.passwords.findOneBy({ user: user.id }));
    decoy ??= hashPassword('no user has this password');
    const matches = await verifyPassword(stored?.hash ?? (await decoy), password);
    return matches && stored ? user : undefined;
  }
}
