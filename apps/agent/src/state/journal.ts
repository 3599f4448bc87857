import type { CommandVerb } from '#contracts';
import { AppError, type Clock, fault } from '#kernel';
import {
  type AttemptChange, type AttemptKey, type AttemptState, type ForgetReason, type WorkVerb, changeAttempt, initialAttempt,
} from '../attempts/attempt.state.ts';
import type { AgentDatabase } from './database.ts';

/** An attempt in the journal. */
export interface JournalledAttempt extends AttemptKey {
  readonly verb: WorkVerb;
  readonly state: AttemptState;
  /** Wall-clock milliseconds. */
  readonly acceptedAt: number;
}

interface Row {
  run: string;
  attempt: number;
  verb: string;
  status: string;
  claim: string | null;
  reason: string | null;
  accepted_at: number;
  claimed_at: number | null;
}

const stateOf = (row: Row): AttemptState => {
  const claim = row.claim ?? '';
  switch (row.status) {
    case 'accepted':
      return initialAttempt;
    case 'claimed':
    case 'running':
      return { status: row.status, claim, claimedAt: row.claimed_at ?? row.accepted_at };
    case 'reported':
      return { status: 'reported', claim, outcome: row.reason as never };
    case 'done':
      return { status: 'done', claim };
    case 'forgotten':
      return { status: 'forgotten', reason: row.reason as ForgetReason };
    default:
      throw fault('internal', 'journal-damaged', `The journal knows no status ${row.status}; move the state directory away and enrol again`);
  }
};

const attemptOf = (row: Row): JournalledAttempt => ({
  run: row.run, attempt: row.attempt, verb: row.verb as WorkVerb, state: stateOf(row), acceptedAt: row.accepted_at,
});

const reasonOf = (state: AttemptState): string | null => {
  if (state.status === 'reported') return state.outcome;
  return state.status === 'forgotten' ? state.reason : null;
};

/**
 * What the agent has been ordered to do and how far it is. Every change is on the disk before the method returns. It holds no key
 * and no specification: those come with the claim, which is asked again after a restart.
 */
export class Journal {
  private readonly database: AgentDatabase;
  private readonly clock: Clock;

  constructor(database: AgentDatabase, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Writes a command down; false when it was there already, and then nothing changes: redelivery is harmless. */
  accept(key: AttemptKey, verb: CommandVerb): boolean {
    return this.database.transaction(() => {
      const now = this.clock.now();
      const added = this.database.sql.prepare('insert or ignore into commands (run, attempt, verb, accepted_at) values (?, ?, ?, ?)')
        .run(key.run, key.attempt, verb, now);
      if (added.changes === 0) return false;
      if (verb === 'stop' || verb === 'rotate' || verb === 'upgrade') return true;
      // One verb an attempt: a second one for the same attempt changes nothing.
      return this.database.sql
        .prepare("insert or ignore into attempts (run, attempt, verb, status, accepted_at, changed_at) values (?, ?, ?, 'accepted', ?, ?)")
        .run(key.run, key.attempt, verb, now, now).changes === 1;
    });
  }

  /** Writes an order about the node itself down; false when it was there already, done or not. */
  acceptOrder(id: string, verb: CommandVerb): boolean {
    const { changes } = this.database.transaction(() =>
      this.database.sql.prepare("insert or ignore into orders (id, verb, status, accepted_at) values (?, ?, 'open', ?)").run(id, verb, this.clock.now()));
    return changes === 1;
  }

  /** Ids of orders about the node that are not done, the oldest first. */
  openOrders(verb: CommandVerb): string[] {
    const rows = this.database.sql.prepare("select id from orders where verb = ? and status = 'open' order by accepted_at, rowid").all(verb);
    return rows.map((row) => row['id'] as string);
  }

  /** The order is done, or nothing is to be done about it any more. */
  closeOrder(id: string): void {
    this.database.transaction(() => this.database.sql.prepare("update orders set status = 'done' where id = ?").run(id));
  }

  /** True when a stop of this attempt, or of a later one of its run, was ordered; also before the order to work arrived. */
  isStopped({ run, attempt }: AttemptKey): boolean {
    return this.database.sql.prepare("select 1 from commands where run = ? and attempt >= ? and verb = 'stop'").get(run, attempt) !== undefined;
  }

  get({ run, attempt }: AttemptKey): JournalledAttempt | undefined {
    const row = this.database.sql.prepare('select * from attempts where run = ? and attempt = ?').get(run, attempt);
    return row === undefined ? undefined : attemptOf(row as unknown as Row);
  }

  /** Applies a change; throws `impossible-attempt-change`. Returns the new state. */
  change(key: AttemptKey, change: AttemptChange): AttemptState {
    return this.database.transaction(() => {
      const current = this.get(key);
      if (!current) throw fault('internal', 'unknown-attempt', `The journal has no attempt ${key.attempt} of ${key.run}`);
      const next = changeAttempt(current.state, change);
      if (!next.ok) throw new AppError(next.error);
      const state = next.value;
      this.database.sql
        .prepare('update attempts set status = ?, claim = coalesce(?, claim), claimed_at = coalesce(?, claimed_at), reason = ?, changed_at = ? where run = ? and attempt = ?')
        .run(state.status, 'claim' in state ? state.claim : null, 'claimedAt' in state ? state.claimedAt : null, reasonOf(state), this.clock.now(), key.run, key.attempt);
      return state;
    });
  }

  /** Attempts to work on, in the order in which they were accepted. */
  open(): JournalledAttempt[] {
    return this.select("status in ('accepted', 'claimed', 'running')");
  }

  /** Attempts that the agent holds a claim of and has not reported. */
  held(): JournalledAttempt[] {
    return this.select("status in ('claimed', 'running')");
  }

  /** Attempts of a run below `attempt` that are still worked on. */
  openBelow({ run, attempt }: AttemptKey): JournalledAttempt[] {
    return this.select("run = ? and attempt < ? and status in ('accepted', 'claimed', 'running')", run, attempt);
  }

  /** The highest attempt of a run that was ever accepted; 0 when there is none. */
  highestAttempt(run: string): number {
    const row = this.database.sql.prepare('select max(attempt) as highest from attempts where run = ?').get(run) as { highest: number | null };
    return row.highest ?? 0;
  }

  /** Forgets what ended before `before` (wall-clock milliseconds). Keep it longer than the command stream keeps commands. */
  prune(before: number): void {
    this.database.transaction(() => {
      this.database.sql.prepare("delete from attempts where status in ('done', 'forgotten') and changed_at < ?").run(before);
      this.database.sql.prepare(
        'delete from commands where accepted_at < ? and not exists (select 1 from attempts a where a.run = commands.run and a.attempt = commands.attempt)',
      ).run(before);
      this.database.sql.prepare("delete from orders where status = 'done' and accepted_at < ?").run(before);
    });
  }

  private select(where: string, ...values: (string | number)[]): JournalledAttempt[] {
    const rows = this.database.sql.prepare(`select * from attempts where ${where} order by accepted_at, rowid`).all(...values);
    return rows.map((row) => attemptOf(row as unknown as Row));
  }
}
