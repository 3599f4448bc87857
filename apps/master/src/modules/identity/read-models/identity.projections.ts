import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import type { ApiKeyEvent } from '../domain/api-key.decide.ts';
import type { UserEvent } from '../domain/user.events.ts';
import { ApiKeyRow } from './api-key.entity.ts';
import { UserRow } from './user.entity.ts';

/** One row a user, disabled ones too. */
export const usersModel = readModel<UserRow, UserEvent>({
  name: 'users',
  entity: UserRow,
  handles: ['UserCreated', 'RoleGranted', 'UserPasswordChanged', 'UserDisabled'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, { event, revision, context }, id) => {
    const time = new Date(parseTime(context.time));
    if (event.type === 'UserCreated') return { id, revision, ...event.data, status: 'active', createdAt: time, sessionsFrom: time };
    if (!row) return undefined;
    switch (event.type) {
      case 'RoleGranted':
        return { ...row, revision, role: event.data.role };
      case 'UserPasswordChanged':
        return { ...row, revision, sessionsFrom: time };
      case 'UserDisabled':
        return { ...row, revision, status: 'disabled', sessionsFrom: time };
      default:
        return unreachable(event, 'user event');
    }
  },
});

/** One row an API key, revoked ones too. */
export const apiKeysModel = readModel<ApiKeyRow, ApiKeyEvent>({
  name: 'api-keys',
  entity: ApiKeyRow,
  handles: ['ApiKeyCreated', 'ApiKeyRevoked'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, { event, revision, context }, id) => {
    if (event.type === 'ApiKeyRevoked') return row && { ...row, revision, status: 'revoked' };
    const { name, role, expiresAt } = event.data;
    return {
      id, revision, name, role, status: 'active', createdBy: context.actor, createdAt: new Date(parseTime(context.time)),
      expiresAt: expiresAt ? new Date(parseTime(expiresAt)) : null,
    };
  },
});
