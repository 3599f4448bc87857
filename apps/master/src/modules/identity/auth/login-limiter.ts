import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { type Clock, fault } from '#kernel';
import { CLOCK } from '../../../platform/index.ts';
import { LoginAttempts } from '../vault/secrets.entities.ts';

const windowMs = 15 * 60_000;
/** Failures in a window: of one name, and from one address whatever the name. */
const limits = { name: 10, address: 50 } as const;

/** Slows guessing down: after too many failures a name, or an address, waits for the end of the window. Counted for all masters together. */
@Injectable()
export class LoginLimiter {
  constructor(@InjectRepository(LoginAttempts) private readonly rows: Repository<LoginAttempts>, @Inject(CLOCK) private readonly clock: Clock) {}

  /** Throws `too-many-logins` (429). */
  async check(name: string, address: string): Promise<void> {
    for (const [key, limit] of this.keys(name, address)) {
      const row = await this.rows.findOneBy({ key });
      const open = row !== null && row.windowFrom.getTime() > this.clock.now() - windowMs;
      if (open && row.failures >= limit) {
        throw fault('rate-limited', 'too-many-logins', 'Too many failed log-ins; wait 15 minutes and try again');
      }
    }
  }

  /** Counts a failure. */
  async failed(name: string, address: string): Promise<void> {
    const now = new Date(this.clock.now());
    for (const [key] of this.keys(name, address)) {
      await this.rows.query(
        `insert into vault.login_attempts as a (key, window_from, failures) values ($1, $2, 1)
         on conflict (key) do update set
           failures = case when a.window_from > $3 then a.failures + 1 else 1 end,
           window_from = case when a.window_from > $3 then a.window_from else $2 end`,
        [key, now, new Date(now.getTime() - windowMs)],
      );
    }
  }

  /** Forgets the failures of a name that got in. */
  async succeeded(name: string): Promise<void> {
    await this.rows.delete({ key: `name:${name}` });
  }

  /** Removes windows that are over. */
  async expire(): Promise<void> {
    await this.rows.delete({ windowFrom: LessThan(new Date(this.clock.now() - windowMs)) });
  }

  private keys(name: string, address: string): readonly (readonly [string, number])[] {
    return [[`name:${name}`, limits.name], [`address:${address}`, limits.address]];
  }
}
