import { Inject, Injectable } from '@nestjs/common';
import type { NatsConnection } from 'nats';
import { RunReport, decodeMessage, streams, subjects } from '#contracts';
import { fault } from '#kernel';
import { BUS } from '../../../platform/index.ts';
import type { WaitingReports } from '../ports.ts';

const noMessage = 10_037;
const codeOf = (error: unknown): number => (error as { api_error?: { err_code?: number } }).api_error?.err_code ?? 0;

/** Looks into REPORTS for the last report of a run. */
@Injectable()
export class StreamWaitingReports implements WaitingReports {
  constructor(@Inject(BUS) private readonly bus: NatsConnection) {}

  /** Throws `jetstream-unavailable`. An unreadable report is none: it is set aside by its consumer. */
  async has(node: string, run: string, { attempt, claim }: { readonly attempt: number; readonly claim: string }): Promise<boolean> {
    const data = await this.last(subjects.report(node, run));
    if (!data) return false;
    try {
      const report = decodeMessage(RunReport, data);
      return report.attempt === attempt && report.claim === claim;
    } catch {
      return false;
    }
  }

  private async last(subject: string): Promise<Uint8Array | undefined> {
    const manager = await this.bus.jetstreamManager({ checkAPI: false, timeout: 5000 });
    try {
      return (await manager.streams.getMessage(streams.reports, { last_by_subj: subject })).data;
    } catch (cause) {
      if (codeOf(cause) === noMessage) return undefined;
      throw fault('unavailable', 'jetstream-unavailable', 'JetStream does not answer; trying again', { cause });
    }
  }
}
