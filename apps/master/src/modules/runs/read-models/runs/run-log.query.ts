import { Inject, Injectable } from '@nestjs/common';
import { DeliverPolicy, type NatsConnection } from 'nats';
import { RunLogBatch, decodeMessage, streams, subjects } from '#contracts';
import { fault } from '#kernel';
import { BUS } from '../../../../platform/index.ts';
import type { RunLogAnswer } from '../../http/run.dto.ts';

/** Batches of one answer. */
const pageBatches = 200;

interface Batch {
  readonly sequence: number;
  readonly batch: RunLogBatch | undefined;
}

const decoded = (data: Uint8Array): RunLogBatch | undefined => {
  try {
    return decodeMessage(RunLogBatch, data);
  } catch {
    return undefined;
  }
};

/** Reads logs of runs from LOGS: best effort, as they were sent. */
@Injectable()
export class RunLogs {
  constructor(@Inject(BUS) private readonly bus: NatsConnection) {}

  /** Batches after the stream position `after`. Throws `jetstream-unavailable`. */
  async read(node: string, run: string, after: number): Promise<RunLogAnswer> {
    const { batches, more } = await this.batches(subjects.log(node, run), after).catch((cause: unknown) => {
      throw fault('unavailable', 'jetstream-unavailable', 'JetStream does not answer; ask again', { cause });
    });
    const lines = batches.flatMap(({ batch }) => (batch ? batch.lines.map((line) => ({ attempt: batch.attempt, ...line })) : []));
    const dropped = batches.reduce((most, { batch }) => Math.max(most, batch?.dropped ?? 0), 0);
    return { lines, dropped, more, position: batches.at(-1)?.sequence ?? after };
  }

  private async batches(subject: string, after: number): Promise<{ readonly batches: readonly Batch[]; readonly more: boolean }> {
    const jetstream = this.bus.jetstream({ timeout: 5000 });
    const consumer = await jetstream.consumers.get(streams.logs, {
      filterSubjects: subject, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1,
    });
    const { num_pending: pending } = await consumer.info();
    const wanted = Math.min(pending, pageBatches);
    const batches: Batch[] = [];
    if (wanted > 0) {
      for await (const message of await consumer.fetch({ max_messages: wanted, expires: 5000 })) {
        batches.push({ sequence: message.seq, batch: decoded(message.data) });
        if (batches.length >= wanted) break;
      }
    }
    await consumer.delete().catch(() => undefined);
    return { batches, more: pending > wanted };
  }
}
