import type { Decider } from '#event-store';
import { derivedId, err, ok, parseTime, refuse, rfc3339, unreachable, type Refusal, type Result } from '#kernel';
import type { CredentialEvent } from './credential.events.ts';
import { type CredentialState, type KnownCredential, evolveCredential, initialCredential } from './credential.state.ts';

/** What can be ordered about one key pair. Times are RFC 3339. */
export type CredentialCommand =
  | {
    readonly type: 'IssueCredential'; readonly node: string; readonly publicKey: string; readonly now: string; readonly expiresAt: string;
    /** The rotation that it is made in, and the key whose place it takes. */
    readonly by?: { readonly rotation: string; readonly replaces: string };
  }
  | { readonly type: 'RenewCredential'; readonly now: string; readonly expiresAt: string }
  | { readonly type: 'RequestRotation'; readonly rotation: string; readonly graceSeconds: number; readonly now: string }
  | { readonly type: 'Rotate'; readonly rotation: string; readonly successor: string; readonly now: string }
  | { readonly type: 'TakeUp'; readonly rotation: string }
  | { readonly type: 'CancelRotation'; readonly now: string }
  | { readonly type: 'AbandonRotation'; readonly now: string }
  | { readonly type: 'ExpireCredential'; readonly now: string }
  | { readonly type: 'EndGrace'; readonly now: string }
  | { readonly type: 'RevokeCredential'; readonly now: string; readonly reason: string };

type Decision = Result<readonly CredentialEvent[], Refusal>;
type Of<T extends CredentialCommand['type']> = Extract<CredentialCommand, { type: T }>;

/** Of a key that was never issued. */
export const unknownCredential = refuse('not-found', 'credential-not-found', 'The node has no such credential; enrol it first');

const nothing: Decision = ok([]);
const refused = (code: string, detail: string): Decision => err(refuse('refused', code, detail));
const revokedKey = (): Decision =>
  refused('credential-revoked', 'This key was revoked; the node comes back with a new enrolment link only');

const issue = ({ node, publicKey, now, expiresAt, by }: Of<'IssueCredential'>, state: CredentialState): Decision => {
  if (state.status === 'revoked' || state.status === 'rotated') {
    return refused('key-revoked', 'This key was revoked or replaced and never comes back; make a new key pair on the node and enrol again');
  }
  if (state.status === 'issued' && state.node !== node) {
    return refused('key-of-another-node', 'This key belongs to another node; make a new key pair on the node and enrol again');
  }
  if (state.status === 'issued' && by && state.replaces !== by.replaces) return refused('key-not-new', 'A rotation needs a key pair that was made for it; make a new one');
  if (state.status === 'issued' && (by || state.expiresAt === expiresAt)) return nothing;
  return ok([{ type: 'CredentialIssued', data: { node, publicKey, issuedAt: now, expiresAt, ...by } }]);
};

/** In the first half of its life a JWT is not made anew: whoever asks gets the same one, so that asking often fills no log. */
const renew = ({ now, expiresAt }: Of<'RenewCredential'>, state: KnownCredential): Decision => {
  if (state.status === 'revoked') return revokedKey();
  if (state.status === 'rotated') return refused('credential-replaced', 'This key was replaced in a rotation and is not renewed; the node has a newer one');
  const [issuedAt, end] = [parseTime(state.issuedAt), parseTime(state.expiresAt)];
  if (!state.expired && parseTime(now) < issuedAt + (end - issuedAt) / 2) return nothing;
  const { node, publicKey } = state;
  return ok([{ type: 'CredentialIssued', data: { node, publicKey, issuedAt: now, expiresAt } }]);
};

const requestRotation = ({ rotation, graceSeconds, now }: Of<'RequestRotation'>, state: KnownCredential): Decision => {
  if (state.status !== 'issued') return revokedKey();
  if (state.requested?.rotation === rotation) return nothing;
  if (state.requested || state.unproven) {
    const since = state.requested ? `asked for at ${state.requested.requestedAt}` : 'answered, and the agent has not connected with its new key yet';
    return err(refuse('conflict', 'rotation-under-way', `A rotation of this node is under way (${since}); wait for it, cancel it, or rotate by a link: that needs no answer of the agent`));
  }
  const { node, publicKey } = state;
  return ok([{ type: 'CredentialRotationRequested', data: { node, publicKey, rotation, requestedAt: now, graceSeconds } }]);
};

/** Milliseconds that an agent has to answer: as long as what it is told is kept for it. */
export const rotationAnswerMs = 7 * 86_400_000;

const abandon = (now: string, code: 'cancelled' | 'not-answered', { node, publicKey, requested }: KnownCredential): Decision =>
  requested ? ok([{ type: 'CredentialRotationAbandoned', data: { node, publicKey, rotation: requested.rotation, abandonedAt: now, code } }]) : nothing;

const cancelRotation = (now: string, state: KnownCredential): Decision => {
  if (state.requested) return abandon(now, 'cancelled', state);
  const answered = state.unproven !== undefined;
  return err(refuse('conflict', answered ? 'rotation-answered' : 'rotation-not-open', answered
    ? 'The agent has made its new key, which is the node\'s now; this is not taken back. If it cannot connect with it, give it a link'
    : 'No rotation of this node waits for its agent; nothing is to be cancelled'));
};

const rotate = ({ rotation, successor, now }: Of<'Rotate'>, state: KnownCredential): Decision => {
  const { node, publicKey, succession, requested } = state;
  // The same agent asks again when the first answer was lost: its new key proves that it is the same.
  if (succession?.rotation === rotation && succession.publicKey === successor) return nothing;
  if (state.status === 'revoked') return revokedKey();
  if (requested?.rotation !== rotation) return refused('rotation-over', 'There is no such rotation of this key, or another new key was taken for it; nothing is to be done');
  const graceUntil = rfc3339(parseTime(now) + requested.graceSeconds * 1000);
  return ok([{ type: 'CredentialRotated', data: { node, publicKey, rotation, successor, rotatedAt: now, graceUntil } }]);
};

const revoke = (now: string, reason: string, { status, node, publicKey }: KnownCredential): Decision =>
  status === 'revoked' ? nothing : ok([{ type: 'CredentialRevoked', data: { node, publicKey, revokedAt: now, reason } }]);

const onKnown = (command: Exclude<CredentialCommand, { type: 'IssueCredential' }>, state: KnownCredential): Decision => {
  const { node, publicKey, expiresAt } = state;
  switch (command.type) {
    case 'RenewCredential':
      return renew(command, state);
    case 'RequestRotation':
      return requestRotation(command, state);
    case 'Rotate':
      return rotate(command, state);
    case 'TakeUp':
      return state.unproven === command.rotation ? ok([{ type: 'CredentialTakenUp', data: { node, publicKey, rotation: command.rotation } }]) : nothing;
    case 'CancelRotation':
      return cancelRotation(command.now, state);
    case 'AbandonRotation': {
      const due = state.requested && parseTime(command.now) >= parseTime(state.requested.requestedAt) + rotationAnswerMs;
      return due ? abandon(command.now, 'not-answered', state) : nothing;
    }
    case 'ExpireCredential': {
      const due = state.status !== 'revoked' && !state.expired && parseTime(command.now) >= parseTime(expiresAt);
      return due ? ok([{ type: 'CredentialExpired', data: { node, publicKey, expiredAt: expiresAt } }]) : nothing;
    }
    case 'EndGrace': {
      const due = state.status === 'rotated' && state.succession && parseTime(command.now) >= parseTime(state.succession.graceUntil);
      return due ? revoke(command.now, 'rotated, and its grace is over', state) : nothing;
    }
    case 'RevokeCredential':
      return revoke(command.now, command.reason, state);
    default:
      return unreachable(command, 'credential command');
  }
};

/** Decides about one key pair; its id follows from the public key, so one key is one node's for ever. */
export const credentialDecider: Decider<CredentialState, CredentialCommand, CredentialEvent> = {
  aggregate: 'credential',
  initialState: initialCredential,
  evolve: evolveCredential,
  decide: (command, state) => {
    if (command.type === 'IssueCredential') return issue(command, state);
    if (state.status === 'absent') return err(unknownCredential);
    return onKnown(command, state);
  },
};

/** Id of the aggregate of a public key. */
export const credentialId = (publicKey: string): string => derivedId('cred', publicKey);
