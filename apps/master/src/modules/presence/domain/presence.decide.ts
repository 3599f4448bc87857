import type { Decider } from '#event-store';
import { ok, unreachable } from '#kernel';
import type { PresenceEvent } from './presence.events.ts';

/** Whether a node is there. Apart from the node itself, so that it never conflicts with somebody's edit. */
export interface PresenceState {
  readonly status: 'never' | 'online' | 'suspect' | 'offline';
  /** The state directory that counts as the node's; the older one when there are two. */
  readonly instance?: string;
  /** Of its agent. */
  readonly version?: string;
  /** A second one that was seen at the same time. */
  readonly duplicate?: string;
}

export type PresenceCommand =
  | { readonly type: 'SeeNode'; readonly instance: string; readonly version: string; readonly hostname: string }
  | { readonly type: 'SuspectNode'; readonly reason: string }
  | { readonly type: 'LoseNode'; readonly reason: string; readonly lastSeen: string }
  | { readonly type: 'SeeDuplicate'; readonly other: string; readonly otherHostname: string };

const evolve = (state: PresenceState, event: PresenceEvent): PresenceState => {
  switch (event.type) {
    case 'NodeConnected': {
      const { duplicate, ...rest } = state;
      const kept = duplicate !== undefined && duplicate !== event.data.instance ? { duplicate } : {};
      return { ...rest, ...kept, status: 'online', instance: event.data.instance, version: event.data.version };
    }
    case 'NodeSuspected':
      return { ...state, status: 'suspect' };
    case 'NodeDisconnected': {
      const { duplicate: _over, ...rest } = state;
      return { ...rest, status: 'offline' };
    }
    case 'NodeDuplicated':
      return { ...state, duplicate: event.data.other };
    default:
      return unreachable(event, 'presence event');
  }
};

const isHere = (state: PresenceState): boolean => state.status === 'online' || state.status === 'suspect';

const duplicated = (command: Extract<PresenceCommand, { type: 'SeeDuplicate' }>, state: PresenceState): readonly PresenceEvent[] => {
  const { other, otherHostname } = command;
  if (!isHere(state) || state.instance === undefined || other === state.instance || other === state.duplicate) return [];
  return [{ type: 'NodeDuplicated', data: { instance: state.instance, other, otherHostname } }];
};

/** Decides whether a node is there. Only changes are events: a heartbeat of a node that is online is none. */
export const presenceDecider: Decider<PresenceState, PresenceCommand, PresenceEvent> = {
  aggregate: 'presence',
  initialState: { status: 'never' },
  evolve,
  decide: (command, state) => {
    switch (command.type) {
      case 'SeeNode': {
        const { instance, version, hostname } = command;
        const known = state.status === 'online' && state.instance === instance && state.version === version;
        return ok(known ? [] : [{ type: 'NodeConnected', data: { instance, version, hostname } }]);
      }
      case 'SuspectNode':
        return ok(state.status === 'online' ? [{ type: 'NodeSuspected', data: { reason: command.reason } }] : []);
      case 'LoseNode':
        return ok(isHere(state) ? [{ type: 'NodeDisconnected', data: { reason: command.reason, lastSeen: command.lastSeen } }] : []);
      case 'SeeDuplicate':
        return ok(duplicated(command, state));
      default:
        return unreachable(command, 'presence command');
    }
  },
};
