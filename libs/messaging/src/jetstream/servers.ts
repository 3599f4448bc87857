import { RunReport, decodeMessage, nodeOfSubject, reportsConsumer, streams } from '#contracts';
import { fault } from '#kernel';
import { patterns, transports } from '../handlers.decorator.ts';
import { JetStreamServer, type JetStreamServerOptions } from './jetstream.server.ts';

/** What the caller of a ready-made server chooses. */
export type ServerChoice = Pick<JetStreamServerOptions, 'connection' | 'clock' | 'log' | 'onOutcome' | 'concurrency' | 'expiresMs' | 'graceMs' | 'maxDelayMs'>;

/** A report with what its subject says, which the sender's credential enforces. */
export interface IncomingReport {
  readonly node: string;
  readonly run: string;
  readonly report: RunReport;
}

/** The commands of one node; the payload is the message's bytes, to be verified by the handler (`OnCommand`). */
export const commandsServer = (node: string, choice: ServerChoice): JetStreamServer => new JetStreamServer({
  ...choice, stream: streams.commands, consumer: node, transport: transports.commands, pattern: () => patterns.command,
});

/** The reports of all nodes, shared by all masters; a malformed one is terminated (`OnReport`). */
export const reportsServer = (choice: ServerChoice): JetStreamServer => new JetStreamServer({
  concurrency: 16,
  ...choice,
  stream: streams.reports,
  consumer: reportsConsumer,
  transport: transports.reports,
  pattern: () => patterns.report,
  decode: ({ subject, data }): IncomingReport => {
    const [node, run] = [nodeOfSubject(subject), subject.split('.')[3]];
    if (!node || !run) throw fault('validation', 'invalid-message', `A report must be published on hf.reports.<node>.<run>, not on ${subject}`);
    return { node, run, report: decodeMessage(RunReport, data) };
  },
});
