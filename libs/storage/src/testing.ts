export { type ContractOptions, type ContractSubject, objectStoreContract } from './testing/object-store.contract.ts';
export { type Fault, type FaultPlan, damagedStore, faultyStore, slowStore, staleStore } from './testing/faulty-stores.ts';
