/** Snapshots after they were recorded: verified, held, released, forgotten. */
export { type SnapshotCommand, type SnapshotEvent, type SnapshotState, snapshotDecider, snapshotEventVersions } from './domain/snapshot.ts';
export { type RetainedSnapshot, type RetentionRules, expired } from './domain/retention.ts';
export { SnapshotRow } from './read-models/snapshots/snapshot.entity.ts';
export { snapshotRows } from './read-models/snapshots/snapshot.projection.ts';
