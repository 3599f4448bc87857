import { eventTypes } from '#event-store';
import { CreateArchive1763730000100 } from '#projections';
import { migrations } from './migrations/index.ts';
import { AuditRow, auditModel } from './modules/audit/index.ts';
import { CredentialChallenge, CredentialRow, credentialEvents, credentialsModel } from './modules/credentials/index.ts';
import { EnrolmentLinkRow, LinkToken, enrolmentEvents, enrolmentLinksModel } from './modules/enrolment/index.ts';
import { ApiKeyHash, ApiKeyRow, LoginAttempts, PasswordHash, Session, UserRow, apiKeysModel, identityEvents, usersModel } from './modules/identity/index.ts';
import { installationEvents } from './modules/installation/index.ts';
import { nameEventVersions } from './modules/names/index.ts';
import { NodeRow, nodeEvents, nodesModel } from './modules/nodes/index.ts';
import { placesEventVersions } from './modules/places/index.ts';
import { AgentWordRow, DisconnectRow, HeartbeatRow, PresenceRow, presenceEvents, presenceModel } from './modules/presence/index.ts';
import { RepositoryRow, repositoryEventVersions, repositoryRows } from './modules/repositories/index.ts';
import { ExecutorBeat, RunAbsence, RunProgress, RunRow, parentRunEventVersions, runEventVersions, runRows } from './modules/runs/index.ts';
import { SnapshotRow, snapshotEventVersions, snapshotRows } from './modules/snapshots/index.ts';
import { TargetRow, TargetSecret, targetEvents, targetsModel } from './modules/targets/index.ts';
import { TaskLaneRow, TaskRow, laneEventVersions, taskEventVersions, taskLaneRows, taskRows } from './modules/tasks/index.ts';
import { UpgradeRow, upgradeEvents, upgradesModel } from './modules/upgrades/index.ts';
import type { Catalogue } from './platform/foundation/foundation.ts';
import { IdempotencyKey } from './platform/idempotency/idempotency-key.entity.ts';

const types = eventTypes(
  installationEvents, nameEventVersions, placesEventVersions, nodeEvents, presenceEvents, upgradeEvents, credentialEvents, enrolmentEvents, targetEvents, identityEvents,
  taskEventVersions, laneEventVersions, runEventVersions, parentRunEventVersions, repositoryEventVersions, snapshotEventVersions,
);

/** Everything that the slices bring: their events, read models, tables and migrations. */
export const catalogue: Catalogue = {
  types,
  readModels: [nodesModel, presenceModel, upgradesModel, credentialsModel, enrolmentLinksModel, targetsModel, usersModel, apiKeysModel, taskRows, taskLaneRows, runRows, repositoryRows, snapshotRows, auditModel(types.names)],
  entities: [
    IdempotencyKey, NodeRow, PresenceRow, HeartbeatRow, DisconnectRow, AgentWordRow, UpgradeRow, CredentialRow, CredentialChallenge, EnrolmentLinkRow, LinkToken, TargetRow, TargetSecret, UserRow, ApiKeyRow,
    PasswordHash, ApiKeyHash, Session, LoginAttempts, TaskRow, TaskLaneRow, RunRow, RunAbsence, RunProgress, ExecutorBeat, RepositoryRow, SnapshotRow, AuditRow,
  ],
  migrations: [CreateArchive1763730000100, ...migrations],
};
