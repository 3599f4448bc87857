/** Places that store objects, their secrets, and the relay for those that cannot sign grants. */
import { defineEvents } from '#event-store';
import type { TargetEvent } from './domain/target.events.ts';

export type { S3Settings, TargetEvent, TargetSettings } from './domain/target.events.ts';
export { type KnownTarget, type TargetState, targetDecider } from './domain/target.decide.ts';
export { TargetRow } from './read-models/target.entity.ts';
export { targetsModel } from './read-models/targets.projection.ts';
export { type OpenTarget, TargetStores } from './target-stores.ts';
export { TargetSecret } from './vault/target-secret.entity.ts';

/** Versions of this aggregate's events. */
export const targetEvents = defineEvents<TargetEvent>({ TargetAdded: [], TargetChanged: [], TargetTested: [], TargetRemoved: [] });
