import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { CONFIG, type MasterConfig } from '../../../platform/index.ts';
import type { Absences, Executors } from '../ports.ts';

/** Seconds after which a master of an older version, which does not say how long it is to be believed, is believed dead. */
const deadAfterSeconds = 60;

/** Missed syncs, in the schema `live`. */
@Injectable()
export class LiveAbsences implements Absences {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  async missed(run: string, attempt: number, now: number): Promise<{ readonly times: number; readonly since: number }> {
    const rows: { times: number; since: Date }[] = await this.database.query(
      `insert into live.run_absences (run, attempt, times, since) values ($1, $2, 1, $3)
       on conflict (run, attempt) do update set times = live.run_absences.times + 1 returning times, since`, [run, attempt, new Date(now)]);
    const [row] = rows;
    return row ? { times: row.times, since: row.since.getTime() } : { times: 1, since: now };
  }

  async clear(run: string, attempt: number): Promise<void> {
    await this.database.query('delete from live.run_absences where run = $1 and attempt <= $2', [run, attempt]);
  }
}

/** Which masters are alive, on the database's clock. */
@Injectable()
export class LiveExecutors implements Executors {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    @Inject(CONFIG) private readonly config: MasterConfig,
  ) {}

  async beat(instance: string): Promise<void> {
    await this.database.query(
      `insert into live.executors (instance, beat_at, believed_until) values ($1, now(), now() + make_interval(secs => $2))
       on conflict (instance) do update set beat_at = excluded.beat_at, believed_until = excluded.believed_until`, [instance, this.config.executorSilence]);
    await this.database.query("delete from live.executors where beat_at < now() - interval '1 day'");
  }

  async isAlive(instance: string): Promise<boolean> {
    const rows: unknown[] = await this.database.query(
      'select 1 from live.executors where instance = $1 and coalesce(believed_until, beat_at + make_interval(secs => $2)) > now()', [instance, deadAfterSeconds]);
    return rows.length > 0;
  }
}
