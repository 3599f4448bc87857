import type { JetStreamManager, NatsConnection, StreamConfig } from 'nats';
import { isNatsServerNewEnough, oldestNatsServer } from '#identity';
import { type Logger, fault } from '#kernel';
import { type DesiredStream, streamLayout, streamLayouts } from './stream-layout.ts';

const layoutKey = 'holdfast.layout';
const alreadyExists = 10_058;
const notFound = 10_059;

/** The code of a JetStream API error, 0 for other errors. */
const apiCode = (error: unknown): number => (error as { api_error?: { err_code?: number } }).api_error?.err_code ?? 0;

/** Throws `nats-server-too-old`: older servers silently ignore the headers that atomic appends rest on. */
export const assertServerVersion = (connection: Pick<NatsConnection, 'info'>): void => {
  const version = connection.info?.version ?? 'unknown';
  if (isNatsServerNewEnough(version)) return;
  throw fault('refused', 'nats-server-too-old', `The NATS server is version ${version}; Holdfast needs ${oldestNatsServer} or newer: upgrade it`);
};

/** Metadata of ours; the server adds its own under `_nats.`. */
const ownMetadata = (config: Partial<StreamConfig>): Record<string, string> =>
  Object.fromEntries(Object.entries(config.metadata ?? {}).filter(([key]) => !key.startsWith('_nats.')));

const find = async (manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> => {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (apiCode(error) === notFound) return undefined;
    throw fault('unavailable', 'jetstream-unavailable', 'JetStream does not answer; see whether the NATS servers are up and have a leader', { cause: error });
  }
};

/** What an existing stream is to become; undefined when it stays as it is. Only ever upgraded. */
const upgradeOf = (existing: StreamConfig, desired: DesiredStream): Partial<StreamConfig> | undefined => {
  const layout = Number(ownMetadata(existing)[layoutKey] ?? 0);
  const more = (desired.num_replicas ?? 1) > existing.num_replicas ? { num_replicas: desired.num_replicas } : {};
  if (layout < streamLayout) return { ...existing, ...desired, num_replicas: existing.num_replicas, ...more };
  return 'num_replicas' in more ? { ...existing, ...more } : undefined;
};

const provision = async (manager: JetStreamManager, desired: DesiredStream, log: Logger): Promise<void> => {
  const wanted = { ...desired, metadata: { ...desired.metadata, [layoutKey]: String(streamLayout) } };
  const existing = await find(manager, desired.name);
  if (!existing) {
    try {
      await manager.streams.add(wanted);
      return log.info('Stream made', { stream: desired.name });
    } catch (error) {
      // Another master was faster.
      if (apiCode(error) !== alreadyExists) throw error;
      return;
    }
  }
  const upgrade = upgradeOf(existing, wanted);
  if (!upgrade) return;
  await manager.streams.update(desired.name, upgrade);
  log.info('Stream upgraded', { stream: desired.name });
};

/** What to provision. */
export interface ProvisionOptions {
  /** Settings of EVENTS, from the event store. */
  readonly events: DesiredStream;
  readonly replicas: number;
  readonly log: Logger;
}

/**
 * Makes the streams that are missing and upgrades those of an older layout; those of a newer one, and what an operator tuned, stay.
 * Any number of masters may do so at once. Throws `nats-server-too-old`, `stream-refused` and `jetstream-unavailable`.
 */
export const provisionStreams = async (connection: NatsConnection, { events, replicas, log }: ProvisionOptions): Promise<void> => {
  assertServerVersion(connection);
  const manager = await connection.jetstreamManager({ timeout: 10_000 });
  for (const desired of [events, ...streamLayouts(replicas)]) {
    try {
      await provision(manager, desired, log);
    } catch (cause) {
      if (apiCode(cause) === 0) throw cause;
      const reason = (cause as Error).message;
      throw fault('refused', 'stream-refused', `The NATS servers refuse the settings of stream ${desired.name}: ${reason}`, { cause });
    }
  }
};
