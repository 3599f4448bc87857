/** One-time links by which agents become nodes. */
import { defineEvents } from '#event-store';
import type { EnrolmentEvent } from './domain/enrolment.events.ts';

export { LinkToken } from './vault/link-token.entity.ts';

/** Versions of this aggregate's events. */
export const enrolmentEvents = defineEvents<EnrolmentEvent>({ EnrolmentLinkIssued: [], EnrolmentLinkConsumed: [] });
