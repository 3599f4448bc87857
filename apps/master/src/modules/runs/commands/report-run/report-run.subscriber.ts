import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type IncomingReport, OnReport } from '#messaging';
import { ReportRunHandler } from './report-run.handler.ts';

/** Reports of agents, shared by all masters: acked after the append, handed in again after a retryable error. */
@Controller()
export class ReportsSubscriber {
  constructor(private readonly reports: ReportRunHandler) {}

  @OnReport()
  async report(@Payload() { node, run, report }: IncomingReport): Promise<void> {
    await this.reports.decide(node, run, report);
  }
}
