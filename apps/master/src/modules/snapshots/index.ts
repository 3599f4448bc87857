/** Snapshots after they were recorded: verified, held, released, forgotten. */
export { type SnapshotCommand, type SnapshotEvent, type SnapshotState, snapshotDecider, snapshotEventVersions } from './domain/snapshot.ts';
export { type RetentionCandidate, type RetentionRules, expired } from './retention/expired.ts';
export { SnapshotRow } from './read-models/snapshots/snapshot.entity.ts';
export { snapshotRows } from './read-models/snapshots/snapshot.projection.ts';
export { ExpiredSnapshots } from './retention/expired-snapshots.query.ts';
