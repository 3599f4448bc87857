import type { Decider, DomainEvent } from '#event-store';
import { err, ok, refuse, unreachable } from '#kernel';
import type { Role } from '../../../platform/domain/role.ts';

/** A key for a program. Its secret's hash lies in the vault. */
export type ApiKeyCreated = DomainEvent<'ApiKeyCreated', {
  readonly name: string;
  readonly role: Role;
  /** RFC 3339; absent: until it is revoked. */
  readonly expiresAt?: string;
}>;
export type ApiKeyRevoked = DomainEvent<'ApiKeyRevoked', { readonly name: string }>;
export type ApiKeyEvent = ApiKeyCreated | ApiKeyRevoked;

export type ApiKeyState =
  | { readonly status: 'absent' }
  | { readonly status: 'active' | 'revoked'; readonly name: string; readonly role: Role; readonly expiresAt?: string };

export type ApiKeyCommand =
  | { readonly type: 'CreateApiKey'; readonly name: string; readonly role: Role; readonly expiresAt?: string }
  | { readonly type: 'RevokeApiKey' };

/** Decides about one API key. */
export const apiKeyDecider: Decider<ApiKeyState, ApiKeyCommand, ApiKeyEvent> = {
  aggregate: 'api-key',
  initialState: { status: 'absent' },
  evolve: (state, event) => {
    switch (event.type) {
      case 'ApiKeyCreated':
        return { status: 'active', ...event.data };
      case 'ApiKeyRevoked':
        return state.status === 'absent' ? state : { ...state, status: 'revoked' };
      default:
        return unreachable(event, 'api key event');
    }
  },
  decide: (command, state) => {
    switch (command.type) {
      case 'CreateApiKey': {
        const { name, role, expiresAt } = command;
        const data = { name, role, ...(expiresAt ? { expiresAt } : {}) };
        return ok(state.status === 'absent' ? [{ type: 'ApiKeyCreated', data }] : []);
      }
      case 'RevokeApiKey':
        if (state.status === 'absent') return err(refuse('not-found', 'api-key-not-found', 'There is no such API key; list them to see which there are'));
        return ok(state.status === 'active' ? [{ type: 'ApiKeyRevoked', data: { name: state.name } }] : []);
      default:
        return unreachable(command, 'api key command');
    }
  },
};
