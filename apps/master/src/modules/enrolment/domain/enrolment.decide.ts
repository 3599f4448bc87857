import type { Decider } from '#event-store';
import { err, ok, parseTime, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { EnrolmentEvent, InstallOptions } from './enrolment.events.ts';

/** A one-time link. */
export type EnrolmentState =
  | { readonly status: 'absent' }
  | { readonly status: 'open'; readonly node: string; readonly expiresAt: string; readonly install?: InstallOptions }
  | { readonly status: 'consumed'; readonly node: string; readonly publicKey: string }
  | { readonly status: 'expired' | 'revoked'; readonly node: string };

export type EnrolmentCommand =
  | { readonly type: 'IssueLink'; readonly node: string; readonly expiresAt: string; readonly install?: InstallOptions; readonly batch?: string }
  | { readonly type: 'ConsumeLink'; readonly publicKey: string; readonly now: string }
  | { readonly type: 'ExpireLink'; readonly now: string }
  | { readonly type: 'RevokeLink' };

const invalid = refuse('unauthorized', 'link-invalid', 'This enrolment link is unknown, spent or expired; ask the operator for a new one');

const evolve = (_state: EnrolmentState, event: EnrolmentEvent): EnrolmentState => {
  switch (event.type) {
    case 'EnrolmentLinkIssued':
      return { status: 'open', ...event.data };
    case 'EnrolmentLinkConsumed':
      return { status: 'consumed', ...event.data };
    case 'EnrolmentLinkExpired':
      return { status: 'expired', ...event.data };
    case 'EnrolmentLinkRevoked':
      return { status: 'revoked', ...event.data };
    default:
      return unreachable(event, 'enrolment event');
  }
};

const issued = ({ node, expiresAt, install, batch }: Extract<EnrolmentCommand, { type: 'IssueLink' }>): EnrolmentEvent =>
  ({ type: 'EnrolmentLinkIssued', data: { node, expiresAt, ...(install ? { install } : {}), ...(batch ? { batch } : {}) } });

const consume = (command: Extract<EnrolmentCommand, { type: 'ConsumeLink' }>, state: EnrolmentState): Result<readonly EnrolmentEvent[], Refusal> => {
  const { publicKey, now } = command;
  // The same agent asks again when the first answer was lost: its key proves that it is the same.
  if (state.status === 'consumed' && state.publicKey === publicKey) return ok([]);
  if (state.status !== 'open' || parseTime(now) >= parseTime(state.expiresAt)) return err(invalid);
  return ok([{ type: 'EnrolmentLinkConsumed', data: { node: state.node, publicKey } }]);
};

/** Nothing while there is time, and nothing about a link that is spent or expired already. */
const expire = (now: string, state: EnrolmentState): readonly EnrolmentEvent[] =>
  state.status === 'open' && parseTime(now) >= parseTime(state.expiresAt) ? [{ type: 'EnrolmentLinkExpired', data: { node: state.node } }] : [];

/** What a spent link has brought about is undone with the node's credential, not with the link. */
const revoke = (state: EnrolmentState): Result<readonly EnrolmentEvent[], Refusal> => {
  switch (state.status) {
    case 'absent':
      return err(refuse('not-found', 'link-not-found', 'There is no such enrolment link; list the links to see which there are'));
    case 'consumed':
      return err(refuse('conflict', 'link-used', `An agent has used this link already; to cut it off revoke the credential of ${state.node}`));
    default:
      return ok(state.status === 'open' ? [{ type: 'EnrolmentLinkRevoked', data: { node: state.node } }] : []);
  }
};

/** Decides about one enrolment link. Every refusal of an agent says the same, so that guessing teaches nothing. */
export const enrolmentDecider: Decider<EnrolmentState, EnrolmentCommand, EnrolmentEvent> = {
  aggregate: 'enrolment',
  initialState: { status: 'absent' },
  evolve,
  decide: (command, state) => {
    switch (command.type) {
      case 'IssueLink':
        return ok(state.status === 'absent' ? [issued(command)] : []);
      case 'ConsumeLink':
        return consume(command, state);
      case 'ExpireLink':
        return ok(expire(command.now, state));
      case 'RevokeLink':
        return revoke(state);
      default:
        return unreachable(command, 'enrolment command');
    }
  },
};
