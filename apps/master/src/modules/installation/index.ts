/** Which installation this is: the first event of its log, and the id that is in every event. */
import { defineEvents } from '#event-store';
import type { InstallationCreated } from './domain/installation.ts';

export { installationDecider } from './domain/installation.ts';

/** Versions of this aggregate's events. */
export const installationEvents = defineEvents<InstallationCreated>({ InstallationCreated: [] });
