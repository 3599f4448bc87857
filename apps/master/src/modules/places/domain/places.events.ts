import { type DomainEvent, defineEvents } from '#event-store';

/** The task needs exactly these nodes and this target from now on: none of them can be removed. */
export type PlacesTaken = DomainEvent<'PlacesTaken', { readonly task: string; readonly places: readonly string[] }>;
/** The task needs no place any more. */
export type PlacesReleased = DomainEvent<'PlacesReleased', { readonly task: string }>;
/** The node or target goes; no task can begin to use it. */
export type PlaceRetired = DomainEvent<'PlaceRetired', { readonly place: string }>;

export type PlacesEvent = PlacesTaken | PlacesReleased | PlaceRetired;

/** Every version of these events. */
export const placesEventVersions = defineEvents<PlacesEvent>({ PlacesTaken: [], PlacesReleased: [], PlaceRetired: [] });
