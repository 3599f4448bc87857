import { parseTime } from '#kernel';
import { readModel } from '#projections';
import type { EnrolmentEvent } from '../domain/enrolment.events.ts';
import { EnrolmentLinkRow } from './enrolment-link.entity.ts';

const at = (time: string): Date => new Date(parseTime(time));

/** One row a link. */
export const enrolmentLinksModel = readModel<EnrolmentLinkRow, EnrolmentEvent>({
  name: 'enrolment-links',
  entity: EnrolmentLinkRow,
  handles: ['EnrolmentLinkIssued', 'EnrolmentLinkConsumed', 'EnrolmentLinkExpired', 'EnrolmentLinkRevoked'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, { event, context }, id) => {
    if (event.type === 'EnrolmentLinkIssued') {
      return { id, node: event.data.node, batch: event.data.batch ?? null, status: 'open', issuedAt: at(context.time), expiresAt: at(event.data.expiresAt), consumedAt: null };
    }
    if (event.type === 'EnrolmentLinkConsumed') return row && { ...row, status: 'consumed', consumedAt: at(context.time) };
    return row && { ...row, status: event.type === 'EnrolmentLinkExpired' ? 'expired' : 'revoked' };
  },
});
