import { AckPolicy, type ConsumerConfig, DeliverPolicy, type NatsConnection } from 'nats';
import { reportsConsumer, streams, subjects } from '#contracts';
import { fault } from '#kernel';

const seconds = 1e9;
const timeout = 10_000;
const gone = 10_014;

/** All unacknowledged commands of a node are told to it again after this long. */
export const ackWaitMs = 30_000;

/** A node's own consumer: slots are counted by the agent, never here, and a recreated consumer tells everything again. */
const nodeConsumer = (node: string, replicas: number | undefined): Partial<ConsumerConfig> => ({
  durable_name: node, filter_subject: subjects.commandsOf(node), ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All,
  ack_wait: (ackWaitMs / 1000) * seconds, max_ack_pending: 256, max_waiting: 16, ...(replicas === undefined ? {} : { num_replicas: replicas }),
});

const masters: Partial<ConsumerConfig> = {
  durable_name: reportsConsumer, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All,
  ack_wait: (ackWaitMs / 1000) * seconds, max_ack_pending: 1024,
};

const unavailable = (cause: unknown) => fault('unavailable', 'jetstream-unavailable', 'JetStream does not answer; trying again', { cause });
const codeOf = (error: unknown): number => (error as { api_error?: { err_code?: number } }).api_error?.err_code ?? 0;

/** The durable consumers of the bus. All throw `jetstream-unavailable` (retryable). */
export interface Consumers {
  /** The one on REPORTS that all masters share. */
  ensureReports(): Promise<void>;
  /** A node's on COMMANDS. Doing it again is harmless. */
  ensureNode(node: string): Promise<void>;
  /** Removes a node's consumer, if there is one. */
  removeNode(node: string): Promise<void>;
  /** Names of all consumers on COMMANDS: the nodes that can be sent commands. */
  nodes(): Promise<readonly string[]>;
}

/**
 * The consumers behind a connection of CONTROL.
 * @param nodeReplicas copies of each node's consumer. Default: those of the stream, so that no node waits for a server that is down.
 * With several thousand nodes on a cluster choose 1: each replicated consumer is a consensus group of its own.
 */
export const newConsumers = (connection: NatsConnection, nodeReplicas?: number): Consumers => {
  const ensure = async (stream: string, config: Partial<ConsumerConfig>): Promise<void> => {
    const manager = await connection.jetstreamManager({ checkAPI: false, timeout });
    await manager.consumers.add(stream, config).catch((cause: unknown) => { throw unavailable(cause); });
  };
  return {
    ensureReports: () => ensure(streams.reports, masters),
    ensureNode: (node) => ensure(streams.commands, nodeConsumer(node, nodeReplicas)),
    removeNode: async (node) => {
      const manager = await connection.jetstreamManager({ checkAPI: false, timeout });
      await manager.consumers.delete(streams.commands, node).catch((cause: unknown) => {
        if (codeOf(cause) !== gone) throw unavailable(cause);
      });
    },
    nodes: async () => {
      const names: string[] = [];
      for (;;) {
        const reply = await connection
          .request(`$JS.API.CONSUMER.NAMES.${streams.commands}`, JSON.stringify({ offset: names.length }), { timeout })
          .catch((cause: unknown) => { throw unavailable(cause); });
        const page = reply.json<{ total?: number; consumers?: string[] }>();
        names.push(...(page.consumers ?? []));
        if (!page.consumers?.length || names.length >= (page.total ?? 0)) return names;
      }
    },
  };
};
