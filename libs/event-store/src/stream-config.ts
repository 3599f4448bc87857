import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import { eventSubjects, eventsStream } from './subject.ts';

/** Settings of EVENTS; `allow_atomic` is newer than the client's types. */
export type EventsStreamConfig = Partial<StreamConfig> & { readonly name: string; readonly allow_atomic: boolean };

/**
 * The stream EVENTS as it must be: for ever, nothing can be deleted from it, atomic batches. `replicas` is 1, or 3 over three
 * failure domains. Who provisions it adds the version of the layout to its metadata.
 */
export const eventsStreamConfig = (replicas: number): EventsStreamConfig => ({
  name: eventsStream,
  subjects: [eventSubjects],
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.New,
  num_replicas: replicas,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  duplicate_window: 120_000_000_000,
  deny_delete: true,
  deny_purge: true,
  allow_direct: true,
  allow_atomic: true,
});
