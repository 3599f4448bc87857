export type { AggregateRef, DomainEvent, EventContext, LoadedAggregate, RecordedEvent } from './event.ts';
export type { Append, EventStore } from './event-store.port.ts';
export type { Decider } from './decider.ts';
export type { CommandHandler, Decided, UnitOfWork } from './command-handler.port.ts';
export { type EventTypes, type EventVersions, type Upcaster, defineEvents, eventTypes } from './event-types.ts';
