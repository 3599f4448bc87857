import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import { streams, subjects } from '#contracts';

/** A stream as it should be. */
export type DesiredStream = Partial<StreamConfig> & { readonly name: string };

/** Bump when a stream below changes: masters of an older version then leave the streams alone. */
export const streamLayout = 1;

const [second, day] = [1e9, 86_400e9];
const [KiB, MiB] = [1024, 1024 * 1024];
const base = { storage: StorageType.File, retention: RetentionPolicy.Limits, discard: DiscardPolicy.Old, duplicate_window: 120 * second } as const;

/** All streams but EVENTS, whose settings belong to the event store. `replicas`: 1, or 3 over three failure domains. */
export const streamLayouts = (replicas: number): readonly DesiredStream[] => [
  {
    ...base, name: streams.reports, subjects: [subjects.allReports], num_replicas: replicas, max_age: 30 * day, max_bytes: 1024 * MiB,
    max_msg_size: 8 * MiB,
  },
  {
    // Limits, not a work queue: there every ack costs as much as there are consumers. Servers from 2.15 on cap consumers otherwise.
    ...base, name: streams.commands, subjects: [subjects.allCommands], num_replicas: replicas, max_age: 7 * day, max_consumers: 20_000,
    max_msg_size: 64 * KiB,
  },
  {
    ...base, name: streams.heartbeats, subjects: [subjects.allHeartbeats], num_replicas: replicas, storage: StorageType.Memory,
    max_msgs_per_subject: 1, max_msg_size: 16 * KiB, allow_direct: true,
  },
  {
    ...base, name: streams.logs, subjects: [subjects.allLogs], num_replicas: replicas, max_age: 14 * day, max_bytes: 512 * MiB,
    max_msgs_per_subject: 10_000, max_msg_size: MiB, allow_direct: true,
  },
  {
    ...base, name: streams.advisories, subjects: ['$JS.EVENT.ADVISORY.CONSUMER.>', '$JS.EVENT.ADVISORY.STREAM.>'], num_replicas: replicas,
    max_age: 30 * day, max_bytes: 32 * MiB,
  },
];
