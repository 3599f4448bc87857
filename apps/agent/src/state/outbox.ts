import { type ClaimReference, type RunReport, reportMessageId } from '#contracts';
import type { Clock } from '#kernel';
import type { AttemptKey } from '../attempts/attempt.state.ts';
import type { AgentDatabase } from './database.ts';

/** A report in the outbox. */
export interface OutboxEntry extends AttemptKey {
  /** Order of writing. */
  readonly sequence: number;
  readonly claim: string;
  /** The same for ever: publishing twice is harmless. */
  readonly messageId: string;
  /** JSON of a `RunReport`. */
  readonly body: string;
}

interface Row {
  sequence: number;
  run: string;
  attempt: number;
  claim: string;
  message_id: string;
  body: string;
}

const entryOf = ({ message_id: messageId, ...row }: Row): OutboxEntry => ({ ...row, messageId });

/** Reports that wait until REPORTS has acknowledged them, and those sent lately, in case a master asks for one again. */
export class Outbox {
  private readonly database: AgentDatabase;
  private readonly clock: Clock;

  constructor(database: AgentDatabase, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Adds the report of an attempt; a second one for the same claim changes nothing. Call it in the transaction that ends the attempt. */
  add(run: string, report: RunReport): void {
    const { attempt, claim } = report;
    this.database.sql
      .prepare("insert or ignore into outbox (run, attempt, claim, message_id, body, status, changed_at) values (?, ?, ?, ?, ?, 'waiting', ?)")
      .run(run, attempt, claim, reportMessageId(run, attempt, claim), JSON.stringify(report), this.clock.now());
  }

  /** The oldest waiting report of each run: within a run they go out in order. */
  heads(): OutboxEntry[] {
    const rows = this.database.sql.prepare(
      "select sequence, run, attempt, claim, message_id, body from outbox where status = 'waiting' and sequence in (select min(sequence) from outbox where status = 'waiting' group by run) order by sequence",
    ).all();
    return rows.map((row) => entryOf(row as unknown as Row));
  }

  /** What waits, and what was sent since `since` (wall-clock milliseconds): for `sync`. Waiting ones first. */
  waitingOrSentSince(since: number, limit: number): ClaimReference[] {
    const rows = this.database.sql.prepare(
      "select run, attempt, claim from outbox where status = 'waiting' or (status = 'sent' and changed_at >= ?) order by status = 'sent', sequence limit ?",
    ).all(since, limit) as unknown as ClaimReference[];
    return rows.map(({ run, attempt, claim }) => ({ run, attempt, claim }));
  }

  /** Reports that are not sent yet. */
  waiting(): number {
    return (this.database.sql.prepare("select count(*) as n from outbox where status = 'waiting'").get() as { n: number }).n;
  }

  /** Reports put aside as refused for good. */
  refused(): number {
    return (this.database.sql.prepare("select count(*) as n from outbox where status = 'refused'").get() as { n: number }).n;
  }

  sent(entry: OutboxEntry): void {
    this.settle(entry, 'sent');
  }

  /** Puts a report aside that will never be accepted; it blocks nothing and stays for an operator to look at. */
  setAside(entry: OutboxEntry, detail: string): void {
    this.settle(entry, 'refused', detail);
  }

  /** Makes a sent report wait again; nothing when it is not kept any more. */
  sendAgain({ run, attempt }: AttemptKey): void {
    this.database.sql.prepare("update outbox set status = 'waiting', changed_at = ? where run = ? and attempt = ? and status = 'sent'")
      .run(this.clock.now(), run, attempt);
  }

  /** Forgets what was sent before `before` (wall-clock milliseconds). */
  prune(before: number): void {
    this.database.sql.prepare("delete from outbox where status = 'sent' and changed_at < ?").run(before);
  }

  private settle(entry: OutboxEntry, status: 'sent' | 'refused', detail: string | null = null): void {
    this.database.sql.prepare('update outbox set status = ?, detail = ?, changed_at = ? where sequence = ?')
      .run(status, detail, this.clock.now(), entry.sequence);
  }
}
