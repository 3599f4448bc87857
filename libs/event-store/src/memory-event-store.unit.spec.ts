import { contractEvents, eventStoreContract, memoryEventStore } from './testing.ts';

eventStoreContract('the log in memory', async () => memoryEventStore(contractEvents));
