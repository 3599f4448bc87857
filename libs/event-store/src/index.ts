export type { AggregateRef, DomainEvent, EventContext, LoadedAggregate, LogPosition, RecordedEvent } from './event.ts';
export type { Append, EventStore } from './event-store.port.ts';
export type { Decider } from './decider.ts';
export type { CommandHandler, Decided, RememberingCommandHandler, UnitOfWork } from './command-handler.port.ts';
export { type EventTypes, type EventVersions, type Upcaster, defineEvents, eventTypes } from './event-types.ts';
export { type EventCodec, type StoredEvent, eventCodec, eventId, header as eventHeader, ownHeaders, requireInstallation } from './codec.ts';
export { eventSubjects, eventsStream } from './subject.ts';
export { type EventsStreamConfig, eventsStreamConfig } from './stream-config.ts';
export { archiveDown, archiveUp, partitionSize } from './archive-schema.ts';
export {
  type Checkpoint, type Sql, archiveUnavailable, copyToArchive, readArchive, readCheckpoint,
} from './archive.ts';
export { SteadyClient } from './steady-client.ts';
export { type LogInfo, type LogReader, logReader, logUnavailable } from './log-reader.ts';
export { type LogCopies, type LogState, checkLog, logDiverged } from './log-check.ts';
export { type ReappendParts, type Reappended, reappend } from './reappend.ts';
export { type EventStoreOptions, jetStreamEventStore } from './jetstream-event-store.ts';
export { type CommandHandlerOptions, commandHandler } from './command-handler.ts';
