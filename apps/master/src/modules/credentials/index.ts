/** The key pairs that nodes connect with: issued, revoked, and what the NATS servers know of that. */
import { defineEvents } from '#event-store';
import type { CredentialEvent } from './domain/credential.events.ts';

export type { CredentialEvent } from './domain/credential.events.ts';
export { ClaimsProcess } from './claims.process.ts';
export { Credentials } from './credentials.service.ts';
export { Rotations } from './rotation/rotations.service.ts';
export { CredentialChallenge } from './vault/challenge.entity.ts';
export { CredentialRow } from './read-models/credential.entity.ts';
export { credentialsModel } from './read-models/credentials.projection.ts';

/** Versions of this aggregate's events. */
export const credentialEvents = defineEvents<CredentialEvent>({
  CredentialIssued: [], CredentialRotationRequested: [], CredentialRotationAbandoned: [], CredentialRotated: [], CredentialTakenUp: [], CredentialExpired: [], CredentialRevoked: [],
});
