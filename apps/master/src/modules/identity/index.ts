/** Who may do what: people with passwords, programs with keys, the first admin, the guard. */
import { defineEvents } from '#event-store';
import type { ApiKeyEvent } from './domain/api-key.decide.ts';
import type { UserEvent } from './domain/user.events.ts';

export { ApiKeyRow } from './read-models/api-key.entity.ts';
export { UserRow } from './read-models/user.entity.ts';
export { apiKeysModel, usersModel } from './read-models/identity.projections.ts';
export { ApiKeyHash, LoginAttempts, PasswordHash, Session } from './vault/secrets.entities.ts';

/** Versions of the events of users and API keys. */
export const identityEvents = defineEvents<UserEvent | ApiKeyEvent>({
  UserCreated: [], RoleGranted: [], UserPasswordChanged: [], UserDisabled: [], ApiKeyCreated: [], ApiKeyRevoked: [],
});
