import type { ClaimReference, HostReport, SelfAnswer, SyncAnswer, UpgradeReport } from '#contracts';
import type { Clock, Logger } from '#kernel';
import type { Journal } from '../state/journal.ts';
import type { Outbox } from '../state/outbox.ts';
import type { Scheduler } from '../attempts/scheduler.ts';
import { Wakeup } from '../attempts/wakeup.ts';
import type { AskClient } from './ask-client.port.ts';
import { runPasses } from './passes.ts';

export interface SyncDependencies {
  readonly ask: AskClient;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instance: string;
  /** What is said of the host, with the agent's version. */
  readonly host: HostReport;
  /** What became of an order to upgrade, until the masters have written it down. */
  readonly upgrade: () => UpgradeReport | undefined;
  /** Called with every answer to "who am I". */
  readonly onSelf: (self: SelfAnswer) => void;
  /** Called when the masters have answered both questions: this agent is one of theirs and online. */
  readonly onSynced: () => void;
  /** Offers every open attempt of the journal again: one whose work broke off on a fault of the agent is taken up here. */
  readonly resume: () => void;
  /** Called when the outbox has something to send (again). */
  readonly onReport: () => void;
}

const everyMs = 60_000;
const most = 256;
/** Reports sent this lately are named too, so that one which REPORTS has lost since is asked for again. */
const recentMs = 15 * 60_000;

/** Tells the masters on every (re)connection and every minute what this agent holds, and does what they answer. */
export class SyncProcess {
  private readonly deps: SyncDependencies;
  private readonly wakeup = new Wakeup();

  constructor(deps: SyncDependencies) {
    this.deps = deps;
  }

  /** Asks now: the connection is new. */
  wake(): void {
    this.wakeup.signal();
  }

  /** Runs until `signal` is aborted. That the bus is away is told by who connects, not here. */
  run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.deps;
    return runPasses({
      pass: (stop) => this.pass(stop), restMs: () => everyMs, wakeup: this.wakeup, failure: 'The masters could not be asked what to do', quietFailures: Infinity, clock, logger,
    }, signal);
  }

  /** Asks `self` and `sync` once. */
  async pass(signal: AbortSignal): Promise<void> {
    this.deps.resume();
    const { ask, instance, host, onSelf, onSynced, logger } = this.deps;
    const upgrade = this.deps.upgrade();
    const self = await ask.ask<SelfAnswer>('self', {
      id: ask.nextId(), instance, version: host.agentVersion, hostname: host.hostname, host, ...(upgrade ? { upgrade } : {}),
    }, { signal });
    if (self.status === 'ok') onSelf(self.value);
    else logger.warn('The masters do not say who this node is', { code: self.code, detail: self.detail });
    const sync = await ask.ask<SyncAnswer>('sync', { id: ask.nextId(), instance, ...this.holdings() }, { signal });
    if (sync.status === 'ok') this.obey(sync.value);
    else logger.warn('The masters do not compare their records with this node', { code: sync.code, detail: sync.detail });
    if (self.status === 'ok' && sync.status === 'ok') onSynced();
  }

  private holdings(): { held: ClaimReference[]; reporting: ClaimReference[] } {
    const held = this.deps.journal.held().slice(0, most).flatMap(({ run, attempt, state }) => ('claim' in state ? [{ run, attempt, claim: state.claim }] : []));
    return { held, reporting: this.deps.outbox.waitingOrSentSince(this.deps.clock.now() - recentMs, most) };
  }

  private obey({ stop, reportAgain }: SyncAnswer): void {
    const { journal, scheduler, outbox, logger, onReport } = this.deps;
    for (const reference of stop) {
      const state = journal.get(reference)?.state;
      if (!state || !('claim' in state) || state.claim !== reference.claim) continue;
      logger.info('A master ends an attempt that this node holds', { run: reference.run, attempt: reference.attempt });
      // Told as cancelled: if it is fenced the report changes nothing, and if it waits for our word this is the word.
      void scheduler.end(reference, 'cancelled');
    }
    for (const reference of reportAgain) outbox.sendAgain(reference);
    if (reportAgain.length > 0) onReport();
  }
}
