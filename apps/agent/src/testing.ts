import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer, AskMethod, BackupSpecification, ClaimGranted, Heartbeat, Progress, RunLogBatch } from '#contracts';
import { type Clock, FakeClock, fault, silentLogger } from '#kernel';
import { resumeWork } from './commands/accept-work.ts';
import type { DataPlane, DataPlaneHooks, WorkOrder, WorkResult } from './data-plane/data-plane.port.ts';
import { OutboxProcess } from './reports/outbox.process.ts';
import type { AskClient, Question } from './session/ask-client.port.ts';
import type { ReportPublisher, Telemetry } from './session/bus.port.ts';
import { openDatabase } from './state/database.ts';
import { Journal } from './state/journal.ts';
import { Outbox, type OutboxEntry } from './state/outbox.ts';
import { AttemptRunner } from './attempts/attempt-runner.ts';
import { Scheduler } from './attempts/scheduler.ts';

/** `run_` and 20 digits. */
export const runId = (n: number): string => `run_${String(n).padStart(20, '0')}`;

/** A specification as a master sends it. */
export const backupSpecification = (paths: string[] = ['/etc']): BackupSpecification => ({
  kind: 'backup', task: 'task_00000000000000000001', taskName: 'test', time: '2026-01-01T00:00:00.000Z',
  repository: { target: 'target_00000000000000000001', generation: 0, dataRecipients: ['age1x'], catalogRecipients: [] },
  source: { type: 'files', paths },
});

export const grantedClaim = (claim: string, specification: unknown = backupSpecification()): ClaimGranted =>
  ({ claim, snapshot: 'snap_00000000000000000001', specification, timeoutMs: 3_600_000 });

/** Answers of masters, scripted by a function; counts what was asked. */
export class ScriptedAsk implements AskClient {
  readonly asked: { method: AskMethod; question: Question & { id: string } }[] = [];
  script: (method: AskMethod, question: Question & { id: string }) => unknown = () => { throw fault('unavailable', 'master-unreachable', 'Nobody is there'); };
  private readonly listeners = new Set<() => void>();
  private count = 0;

  nextId(): string {
    return `ask-${++this.count}`;
  }

  async ask<T>(method: AskMethod, question: Question & { readonly id: string }): Promise<Answer<T>> {
    this.asked.push({ method, question });
    return this.script(method, question) as Answer<T>;
  }

  onBack(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The masters may be reached again. */
  back(): void {
    for (const listener of this.listeners) listener();
  }
}

/** A data plane that does what the test says. */
export class ScriptedDataPlane implements DataPlane {
  readonly orders: WorkOrder[] = [];
  script: (order: WorkOrder, hooks: DataPlaneHooks, signal: AbortSignal) => Promise<WorkResult> = () => Promise.resolve(succeeded);

  run(order: WorkOrder, hooks: DataPlaneHooks, signal: AbortSignal): Promise<WorkResult> {
    this.orders.push(order);
    return this.script(order, hooks, signal);
  }
}

export const succeeded: WorkResult = { outcome: 'succeeded', faults: [], faultCount: 0 };

/** Work that goes on until it is ended. */
export const endless = (_order: unknown, _hooks: unknown, signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

/** REPORTS in memory: deduplicates by message id, as the stream does. */
export class MemoryReports implements ReportPublisher, Telemetry {
  readonly reports = new Map<string, OutboxEntry>();
  readonly heartbeats: Heartbeat[] = [];
  readonly progresses: Progress[] = [];
  readonly logs: RunLogBatch[] = [];
  attempts = 0;
  trouble: ((entry: OutboxEntry) => Error | undefined) | undefined;

  async publish(entry: OutboxEntry): Promise<void> {
    this.attempts += 1;
    const error = this.trouble?.(entry);
    if (error) throw error;
    if (!this.reports.has(entry.messageId)) this.reports.set(entry.messageId, entry);
  }

  heartbeat(heartbeat: Heartbeat): void { this.heartbeats.push(heartbeat); }
  progress(_run: string, progress: Progress): void { this.progresses.push(progress); }
  log(_run: string, batch: RunLogBatch): void { this.logs.push(batch); }
}

/** What data planes of tests see: they share their compiled code where a run of tests keeps some, as it takes longer to compile than to run. */
export const childEnvironment = { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };

/** A new state directory for one test file. */
export const scratch = (): { dir: string; remove: () => void } => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-agent-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
};

/** Everything of an agent that decides, on a real database and on ports that the test scripts. */
export const workbench = (dir: string, { slots = 2, clock = new FakeClock() }: { slots?: number; clock?: Clock } = {}) => {
  const database = openDatabase(join(dir, 'agent.db'));
  const journal = new Journal(database, clock);
  const outbox = new Outbox(database, clock);
  const [ask, dataPlane, reports] = [new ScriptedAsk(), new ScriptedDataPlane(), new MemoryReports()];
  const logger = silentLogger;
  const sender = new OutboxProcess({ database, outbox, journal, publisher: reports, clock, logger });
  const runner = new AttemptRunner({
    database, journal, outbox, ask, dataPlane, telemetry: reports, clock, logger, instance: 'inst_1', ageIdentity: 'AGE-SECRET-KEY-1TEST', network: {},
    cacheOf: () => dir, onReport: () => sender.wake(),
  });
  const scheduler = new Scheduler((key, control) => runner.run(key, control), slots, logger);
  const [askedNow, rotations] = [{ times: 0 }, { times: 0 }];
  const context = { journal, scheduler, logger, askNow: () => void askedNow.times++, onRotate: () => void rotations.times++ };
  return { askedNow, rotations, database, journal, outbox, ask, dataPlane, reports, sender, scheduler, context, clock, resume: () => resumeWork(context) };
};
