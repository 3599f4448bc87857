import type { DomainEvent } from '#event-store';
import type { Role } from '../../../platform/domain/role.ts';

/** Its password's hash lies in the vault. */
export type UserCreated = DomainEvent<'UserCreated', { readonly name: string; readonly role: Role }>;
export type RoleGranted = DomainEvent<'RoleGranted', { readonly role: Role }>;
/** A new password was set; every session ends. */
export type UserPasswordChanged = DomainEvent<'UserPasswordChanged', Readonly<Record<string, never>>>;
/** Cannot log in any more; every session ends. */
export type UserDisabled = DomainEvent<'UserDisabled', { readonly name: string }>;

export type UserEvent = UserCreated | RoleGranted | UserPasswordChanged | UserDisabled;
