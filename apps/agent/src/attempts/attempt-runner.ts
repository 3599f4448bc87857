import { type ClaimGranted, type Specification, protocolVersion } from '#contracts';
import { type Clock, type Logger, fault, isAppError, messageOf } from '#kernel';
import { type DataPlane, type WorkResult, failedResult } from '../data-plane/data-plane.port.ts';
import type { NetworkSettings } from '../network/network.ts';
import { soundReport } from '../reports/sound-report.ts';
import type { AskClient } from '../session/ask-client.port.ts';
import { askUntilAnswered } from '../session/ask-until-answered.ts';
import type { Telemetry } from '../session/bus.port.ts';
import type { AgentDatabase } from '../state/database.ts';
import type { Journal, JournalledAttempt } from '../state/journal.ts';
import type { Outbox } from '../state/outbox.ts';
import { hooksFor } from './attempt-hooks.ts';
import { type AttemptControl } from './attempt-control.ts';
import { type AttemptKey, type AttemptState, type ForgetReason, isOpen, nextStep } from './attempt.state.ts';
import { RunLog } from './run-log.ts';
import { specificationOf } from './specification.ts';

export interface RunnerDependencies {
  readonly database: AgentDatabase;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly ask: AskClient;
  readonly dataPlane: DataPlane;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of this state directory. */
  readonly instance: string;
  readonly ageIdentity: string;
  /** How this host reaches targets and masters. */
  readonly network: NetworkSettings;
  readonly cacheOf: (target: string) => string;
  /** Called when the outbox has something new. */
  readonly onReport: () => void;
}

interface Claimed {
  readonly held: JournalledAttempt;
  readonly granted: ClaimGranted;
  /** After the claim was journalled. */
  readonly state: Extract<AttemptState, { claim: string }>;
}

/**
 * Takes one attempt from where the journal says it is to its report: claim, work, report. Killed at any point and run again it
 * makes exactly one report for a claim, and none when the claim is no longer ours.
 */
export class AttemptRunner {
  private readonly deps: RunnerDependencies;

  constructor(deps: RunnerDependencies) {
    this.deps = deps;
  }

  /**
   * Settles when nothing of the attempt runs any more. Leaves the journal as it is on `shutdown`, for the next process. Rejects when
   * the journal cannot be written; running the attempt again later is right then.
   */
  async run(key: AttemptKey, control: AttemptControl): Promise<void> {
    const held = this.deps.journal.get(key);
    if (!held || !isOpen(held.state)) return;
    try {
      const claimed = await this.claim(held, control);
      if (!claimed) return;
      const result = await this.workOn(claimed, control).catch((error: unknown) => this.resultOf(error, control));
      control.hardSignal.throwIfAborted();
      this.report(claimed, result);
    } catch (error) {
      if (!control.hardSignal.aborted) throw error;
      const { reason } = control;
      if (reason === 'fenced' || reason === 'superseded') this.forget(key, reason);
    }
  }

  private async claim(held: JournalledAttempt, control: AttemptControl): Promise<Claimed | undefined> {
    const { ask: client, clock, logger, journal, instance } = this.deps;
    const { run, attempt } = held;
    const answer = await askUntilAnswered<ClaimGranted>({ client, clock, logger, signal: control.hardSignal }, 'claim', { run, attempt, instance });
    if (answer.status !== 'ok') {
      logger.info('An attempt is not ours to work on', { run, attempt, code: answer.code, detail: answer.detail });
      this.forget(held, answer.status === 'refused' ? 'refused' : 'stale');
      return undefined;
    }
    const state = journal.change(held, { type: 'claimed', claim: answer.value.claim, at: clock.now() });
    if (!('claim' in state)) throw fault('internal', 'claim-not-journalled', 'The journal lost a claim');
    return { held, granted: answer.value, state };
  }

  private async workOn(claimed: Claimed, control: AttemptControl): Promise<WorkResult> {
    const { held, granted, state } = claimed;
    const step = nextStep(held.verb, state, control.reason === 'cancelled' || this.deps.journal.isStopped(held));
    switch (step) {
      case 'report-cancelled':
        return cancelled();
      case 'report-interrupted':
        return failedResult('agent-restarted', 'The agent ended in the middle of this restore; look at the destination and restore again');
      case 'report-unsupported':
        return failedResult('verb-not-supported', `This version of the agent does not ${held.verb}; the masters do`);
      case 'work': {
        const specification = specificationOf(held.verb, granted);
        if (!specification.ok) return failedResult(specification.error.code, specification.error.detail);
        return this.moveData(claimed, specification.value, control);
      }
    }
  }

  private async moveData({ held, granted, state }: Claimed, specification: Specification, control: AttemptControl): Promise<WorkResult> {
    const { clock, journal, dataPlane, telemetry, ageIdentity, cacheOf, network, logger } = this.deps;
    const { run, attempt } = held;
    const claimedAt = 'claimedAt' in state ? state.claimedAt : clock.now();
    const elapsed = Math.max(0, clock.now() - claimedAt);
    const alarm = new AbortController();
    clock.sleep(Math.max(0, granted.timeoutMs - elapsed), alarm.signal).then(() => control.end('timed-out'), () => undefined);
    const log = new RunLog(telemetry, clock, { run, attempt });
    try {
      const target = 'repository' in specification ? specification.repository.target : specification.target;
      const order = {
        run, attempt, specification, cacheDir: cacheOf(target), ageIdentity, network,
        ...(granted.snapshot === undefined ? {} : { snapshot: granted.snapshot }),
      };
      journal.change(held, { type: 'started' });
      logger.info('An attempt begins', { run, attempt, kind: specification.kind });
      const holder = { run, attempt, claim: granted.claim };
      return await dataPlane.run(order, hooksFor(this.deps, holder, { control, log }), control.signal);
    } finally {
      alarm.abort();
      log.close();
    }
  }

  private resultOf(error: unknown, control: AttemptControl): WorkResult {
    control.hardSignal.throwIfAborted();
    if (control.reason === 'cancelled') return cancelled();
    if (control.reason === 'timed-out') return timedOut();
    return failedResult(isAppError(error) ? error.code : 'data-plane-fault', isAppError(error) ? error.detail : messageOf(error));
  }

  private report({ held, state }: Claimed, result: WorkResult): void {
    const { database, journal, outbox, onReport, logger } = this.deps;
    const report = soundReport({ protocol: protocolVersion, attempt: held.attempt, claim: state.claim, ...result });
    database.transaction(() => {
      journal.change(held, { type: 'reported', outcome: report.outcome });
      outbox.add(held.run, report);
    });
    logger.info('An attempt ended', { run: held.run, attempt: held.attempt, outcome: report.outcome, code: report.code });
    onReport();
  }

  private forget(key: AttemptKey, reason: ForgetReason): void {
    const current = this.deps.journal.get(key);
    if (current && isOpen(current.state)) this.deps.journal.change(key, { type: 'forgotten', reason });
  }
}

const timedOut = (): WorkResult => ({
  outcome: 'timed-out', code: 'timed-out', detail: 'The attempt took longer than its time limit and was ended by the agent', faults: [], faultCount: 0,
});

const cancelled = (): WorkResult => ({
  outcome: 'cancelled', code: 'cancelled', detail: 'The run was cancelled and the agent stopped working on it', faults: [], faultCount: 0,
});
