import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { type InstallationKeys, deriveKey, hashBearer, newBearer } from '#identity';
import { type Clock, fault } from '#kernel';
import { foldName } from '../../names/index.ts';
import { CLOCK, CONFIG, KEYS, type MasterConfig, sessionSecretOf } from '../../../platform/index.ts';
import type { UserRow } from '../read-models/user.entity.ts';
import { Session } from '../vault/secrets.entities.ts';
import { LoginLimiter } from './login-limiter.ts';
import { Passwords } from './passwords.ts';
import { signCookie, verifyCookie } from './session-cookie.ts';

/** Milliseconds that a log-in lasts. */
export const sessionMs = 12 * 3_600_000;

const wrong = () => fault('unauthorized', 'wrong-credentials', 'The name or the password is wrong; correct them and try again');

/** Log-ins of people. */
@Injectable()
export class Sessions {
  private readonly key: Uint8Array;

  constructor(
    private readonly passwords: Passwords,
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    private readonly limiter: LoginLimiter,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) keys: InstallationKeys,
    @Inject(CONFIG) config: MasterConfig,
  ) {
    this.key = deriveKey(sessionSecretOf(config, keys), 'session');
  }

  /** The user and the cookie's value. Throws `wrong-credentials` (401) or `too-many-logins` (429). */
  async begin(name: string, password: string, from: string): Promise<{ readonly user: UserRow; readonly cookie: string }> {
    const folded = foldName(name);
    await this.limiter.check(folded, from);
    const user = await this.passwords.check(folded, password);
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
    const user = await this.passwords.user(session.user);
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
}
