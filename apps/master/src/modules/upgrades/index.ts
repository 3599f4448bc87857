/** Orders to agents to become another version, and what became of them. */
import { defineEvents } from '#event-store';
import type { UpgradeEvent } from './domain/upgrade.events.ts';

export type { UpgradeEvent } from './domain/upgrade.events.ts';
export { type UpgradeState, upgradeDecider } from './domain/upgrade.decide.ts';
export { UpgradeReports } from './upgrade-reports.ts';
export { UpgradeRow } from './read-models/upgrade.entity.ts';
export { upgradesModel } from './read-models/upgrades.projection.ts';

/** Versions of this aggregate's events. */
export const upgradeEvents = defineEvents<UpgradeEvent>({ NodeUpgradeOrdered: [], NodeUpgraded: [], NodeUpgradeFailed: [] });
