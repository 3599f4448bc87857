import type { Heartbeat, Progress, RunLogBatch } from '#contracts';
import type { OutboxEntry } from '../state/outbox.ts';

/** Publishes what may be lost: nothing waits for an acknowledgement, and nothing is kept while disconnected. */
export interface Telemetry {
  heartbeat(heartbeat: Heartbeat): void;
  progress(run: string, progress: Progress): void;
  log(run: string, batch: RunLogBatch): void;
}

/** Publishes what must not be lost. */
export interface ReportPublisher {
  /**
   * Resolves when REPORTS holds the report (now or since before). Throws `report-refused` (permanent) for what the stream will never
   * take, and retryable errors for everything else.
   */
  publish(entry: OutboxEntry): Promise<void>;
}
