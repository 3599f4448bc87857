export { contractEvents, eventStoreContract } from './event-store.contract.ts';
export { type Given, type Then, deciderSpecification } from './decider.specification.ts';
export { type MemoryEventStore, memoryEventStore } from './memory-event-store.ts';
