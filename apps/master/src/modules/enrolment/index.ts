/** One-time links by which agents become nodes. */
import { defineEvents } from '#event-store';
import type { EnrolmentEvent } from './domain/enrolment.events.ts';

export { Enrolment } from './enrolment.service.ts';
export type { InstallOptions } from './domain/enrolment.events.ts';
export { EnrolmentLinkRow } from './read-models/enrolment-link.entity.ts';
export { shellWord } from './shell-word.ts';
export { enrolmentLinksModel } from './read-models/enrolment-links.projection.ts';
export { LinkToken } from './vault/link-token.entity.ts';

/** Versions of this aggregate's events. */
export const enrolmentEvents = defineEvents<EnrolmentEvent>({
  EnrolmentLinkIssued: [], EnrolmentLinkConsumed: [], EnrolmentLinkExpired: [], EnrolmentLinkRevoked: [],
});
