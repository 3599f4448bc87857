import { defineEvents, type DomainEvent } from '#event-store';

/** The name belongs to `owner` from now on. */
export type NameTaken = DomainEvent<'NameTaken', { readonly kind: string; readonly name: string; readonly owner: string }>;
/** The name is free again. */
export type NameReleased = DomainEvent<'NameReleased', { readonly owner: string }>;

export type NameEvent = NameTaken | NameReleased;

/** Every version of these events. */
export const nameEventVersions = defineEvents<NameEvent>({
  NameTaken: [], NameReleased: [],
});
