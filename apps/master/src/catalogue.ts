import { eventTypes } from '#event-store';
import { CreateArchive1763730000100 } from '#projections';
import { migrations } from './migrations/index.ts';
import { CredentialRow, credentialEvents, credentialsModel } from './modules/credentials/index.ts';
import { LinkToken, enrolmentEvents } from './modules/enrolment/index.ts';
import { ApiKeyHash, ApiKeyRow, LoginAttempts, PasswordHash, Session, UserRow, apiKeysModel, identityEvents, usersModel } from './modules/identity/index.ts';
import { installationEvents } from './modules/installation/index.ts';
import { nameEventVersions } from './modules/names/index.ts';
import { NodeRow, nodeEvents, nodesModel } from './modules/nodes/index.ts';
import { DisconnectRow, HeartbeatRow, PresenceRow, presenceEvents, presenceModel } from './modules/presence/index.ts';
import { TargetRow, TargetSecret, targetEvents, targetsModel } from './modules/targets/index.ts';
import type { Catalogue } from './platform/foundation/foundation.ts';
import { IdempotencyKey } from './platform/idempotency/idempotency-key.entity.ts';

const types = eventTypes(
  installationEvents, nameEventVersions, nodeEvents, presenceEvents, credentialEvents, enrolmentEvents, targetEvents, identityEvents,
);

/** Everything that the slices bring: their events, read models, tables and migrations. */
export const catalogue: Catalogue = {
  types,
  readModels: [nodesModel, presenceModel, credentialsModel, targetsModel, usersModel, apiKeysModel],
  entities: [
    IdempotencyKey, NodeRow, PresenceRow, HeartbeatRow, DisconnectRow, CredentialRow, LinkToken, TargetRow, TargetSecret, UserRow, ApiKeyRow,
    PasswordHash, ApiKeyHash, Session, LoginAttempts,
  ],
  migrations: [CreateArchive1763730000100, ...migrations],
};
