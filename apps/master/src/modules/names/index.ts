/** Uniqueness of names is an aggregate of its own (one a name), appended to in the batch that gives something its name. */
export { type NameEvent, type NameReleased, type NameTaken, nameEventVersions } from './domain/name.events.ts';
export { foldName, nameId, type NameState } from './domain/name.state.ts';
export { nameDecider, type NameCommand } from './domain/name.decide.ts';
export { type NamedChange, type Renaming, beginChange, rename } from './rename.ts';
