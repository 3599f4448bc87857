/** Which installation this is: the first event of its log, the id that is in every event, and who may recover its backups. */
import { defineEvents } from '#event-store';
import type { InstallationEvent } from './domain/installation.ts';

export { type RecoveryRecipient, installationDecider } from './domain/installation.ts';
export { RecoveryRecipients } from './recovery-recipients.ts';

/** Versions of this aggregate's events. */
export const installationEvents = defineEvents<InstallationEvent>({ InstallationCreated: [], RecoveryRecipientAdded: [] });
