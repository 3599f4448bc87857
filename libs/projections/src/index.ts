export { type ReadModel, readModel } from './read-model.ts';
export type { EventsListener, Follower, FollowerStatus, Lag } from './follower.port.ts';
export { type FollowerOptions, createFollower } from './follower.ts';
export { type ReadTable, readTables } from './read-table.ts';
export { type RebuildParts, type Rebuilt, rebuild } from './rebuild.ts';
export { CreateArchive1763730000100 } from './archive.migration.ts';
