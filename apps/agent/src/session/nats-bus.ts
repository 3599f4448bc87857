import { type NatsConnection, NatsError } from 'nats';
import { type Heartbeat, type Progress, type RunLogBatch, encodeMessage, subjects } from '#contracts';
import { fault } from '#kernel';
import type { OutboxEntry } from '../state/outbox.ts';
import type { BusGate } from './bus-gate.ts';
import type { ReportPublisher, Telemetry } from './bus.port.ts';

/** JetStream errors that no repetition heals: the message is too large for the stream or the account. */
const permanentApiErrors = [10_054, 10_061];

const isPermanent = (error: unknown): boolean => {
  if (!(error instanceof NatsError)) return false;
  return error.code === 'MAX_PAYLOAD_EXCEEDED' || permanentApiErrors.includes(error.api_error?.err_code ?? 0);
};

/** Telemetry and reports over the agent's connection. */
export class NatsBus implements Telemetry, ReportPublisher {
  private readonly connection: NatsConnection;
  private readonly node: string;
  private readonly gate: BusGate;

  constructor(connection: NatsConnection, node: string, gate: BusGate) {
    this.connection = connection;
    this.node = node;
    this.gate = gate;
  }

  heartbeat(heartbeat: Heartbeat): void {
    this.say(subjects.heartbeat(this.node), heartbeat);
  }

  progress(run: string, progress: Progress): void {
    this.say(subjects.progress(this.node, run), progress);
  }

  log(run: string, batch: RunLogBatch): void {
    this.say(subjects.log(this.node, run), batch);
  }

  async publish(entry: OutboxEntry): Promise<void> {
    const subject = subjects.report(this.node, entry.run);
    try {
      await this.gate.pass(() => this.connection.jetstream().publish(subject, Buffer.from(entry.body, 'utf8'), { msgID: entry.messageId, timeout: 10_000 }));
    } catch (cause) {
      if (isPermanent(cause)) throw fault('refused', 'report-refused', `The report of ${Buffer.byteLength(entry.body)} bytes is too large for the bus`, { cause });
      throw fault('unavailable', 'report-not-sent', 'REPORTS did not acknowledge the report; the agent goes on sending it', { cause });
    }
  }

  /** What is published on a closed or broken connection is lost, which is fine here; it must not end a backup. */
  private say(subject: string, message: object): void {
    this.gate.say(() => this.publishNow(subject, message));
  }

  private publishNow(subject: string, message: object): void {
    if (this.connection.isClosed() || this.connection.isDraining()) return;
    try {
      this.connection.publish(subject, encodeMessage(message));
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
    }
  }
}
