/** Which tasks need which nodes and targets: decided in the batch that defines a task or removes a place. */
export { type PlaceRetired, type PlacesEvent, type PlacesReleased, type PlacesTaken, placesEventVersions } from './domain/places.events.ts';
export { type PlacesCommand, type PlacesState, placesDecider, placesId } from './domain/places.decide.ts';
