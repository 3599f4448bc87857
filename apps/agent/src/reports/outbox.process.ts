import { type Clock, type Logger, isAppError, messageOf } from '#kernel';
import { backoffMs } from '../session/ask-until-answered.ts';
import type { ReportPublisher } from '../session/bus.port.ts';
import type { AgentDatabase } from '../state/database.ts';
import type { Journal } from '../state/journal.ts';
import type { Outbox, OutboxEntry } from '../state/outbox.ts';
import { Wakeup } from '../attempts/wakeup.ts';

export interface OutboxDependencies {
  readonly database: AgentDatabase;
  readonly outbox: Outbox;
  readonly journal: Journal;
  readonly publisher: ReportPublisher;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Longest pause between two tries, in milliseconds; a (re)connection ends it at once through `wake`. */
const longestPauseMs = 60_000;

/** Sends the outbox: each run's reports in order, different runs independently, for ever until REPORTS has them. */
export class OutboxProcess {
  private readonly deps: OutboxDependencies;
  private readonly wakeup = new Wakeup();

  constructor(deps: OutboxDependencies) {
    this.deps = deps;
  }

  /** There is something to send, or sending may work again. */
  wake(): void {
    this.wakeup.signal();
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const idle = await this.pass();
      failures = idle ? 0 : failures + 1;
      await this.wakeup.wait(this.deps.clock, idle ? longestPauseMs : backoffMs(failures), signal).catch(() => undefined);
    }
  }

  /** Tries every waiting report once, and those behind it when it went; true when nothing waits any more. */
  async pass(): Promise<boolean> {
    const failed = new Set<string>();
    for (;;) {
      const heads = this.deps.outbox.heads().filter((entry) => !failed.has(entry.run));
      if (heads.length === 0) return failed.size === 0;
      for (const entry of heads) {
        if (!(await this.send(entry))) failed.add(entry.run);
      }
    }
  }

  private async send(entry: OutboxEntry): Promise<boolean> {
    const { publisher, logger } = this.deps;
    try {
      await publisher.publish(entry);
      this.settle(entry, () => this.deps.outbox.sent(entry));
      return true;
    } catch (error) {
      if (isAppError(error) && !error.retryable) {
        logger.error('A report is refused for good and put aside', { messageId: entry.messageId, reason: messageOf(error) });
        this.settle(entry, () => this.deps.outbox.setAside(entry, messageOf(error)));
        return true;
      }
      logger.debug('A report could not be sent yet', { messageId: entry.messageId, reason: messageOf(error) });
      return false;
    }
  }

  private settle(entry: OutboxEntry, change: () => void): void {
    const { database, journal } = this.deps;
    database.transaction(() => {
      change();
      if (journal.get(entry)?.state.status === 'reported') journal.change(entry, { type: 'acknowledged' });
    });
  }
}
