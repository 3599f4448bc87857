import type { Decider } from '#event-store';
import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { Role } from '../../../platform/domain/role.ts';
import type { UserEvent } from './user.events.ts';

export type UserState =
  | { readonly status: 'absent' }
  | { readonly status: 'active' | 'disabled'; readonly name: string; readonly role: Role };

export type UserCommand =
  | { readonly type: 'CreateUser'; readonly name: string; readonly role: Role }
  | { readonly type: 'GrantRole'; readonly role: Role }
  | { readonly type: 'ChangePassword' }
  | { readonly type: 'DisableUser' };

const evolve = (state: UserState, event: UserEvent): UserState => {
  if (event.type === 'UserCreated') return { status: 'active', ...event.data };
  if (state.status === 'absent') return state;
  switch (event.type) {
    case 'RoleGranted':
      return { ...state, role: event.data.role };
    case 'UserPasswordChanged':
      return state;
    case 'UserDisabled':
      return { ...state, status: 'disabled' };
    default:
      return unreachable(event, 'user event');
  }
};

const notFound = refuse('not-found', 'user-not-found', 'There is no such user; list the users to see who there is');

/** Decides about one user. Uniqueness of the name, and that there is one first admin, is decided beside it by the aggregate `name`. */
export const userDecider: Decider<UserState, UserCommand, UserEvent> = {
  aggregate: 'user',
  initialState: { status: 'absent' },
  evolve,
  decide: (command, state): Result<readonly UserEvent[], Refusal> => {
    if (command.type === 'CreateUser') {
      return ok(state.status === 'absent' ? [{ type: 'UserCreated', data: { name: command.name, role: command.role } }] : []);
    }
    if (state.status === 'absent') return err(notFound);
    if (command.type === 'DisableUser') return ok(state.status === 'active' ? [{ type: 'UserDisabled', data: { name: state.name } }] : []);
    if (state.status === 'disabled') return err(refuse('conflict', 'user-disabled', 'This user is disabled; create a new one'));
    switch (command.type) {
      case 'GrantRole':
        return ok(state.role === command.role ? [] : [{ type: 'RoleGranted', data: { role: command.role } }]);
      case 'ChangePassword':
        return ok([{ type: 'UserPasswordChanged', data: {} }]);
      default:
        return unreachable(command, 'user command');
    }
  },
};
