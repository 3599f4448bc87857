/** Repositories: one node in one target; leases, generations, admission. */
export {
  type LeaseMode, type PruneMarked, type RepositoryCreated, type RepositoryEvent, type RepositoryPlace, type RepositoryPruned, repositoryEventVersions,
} from './domain/repository.events.ts';
export { type Lease, type RepositoryState, repositoryKey } from './domain/repository.state.ts';
export type { RepositoryCommand } from './domain/repository.commands.ts';
export { repositoryDecider } from './domain/repository.decide.ts';
export { RepositoryRow } from './read-models/repositories/repository.entity.ts';
export { repositoryRows } from './read-models/repositories/repository.projection.ts';
