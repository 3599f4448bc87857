import { unreachable } from '#kernel';
import type { Labels, NodeEvent } from './node.events.ts';

/** How an agent of the node identifies itself. */
export interface NodeEnrolment {
  readonly publicKey: string;
  readonly recipient: string;
}

/** A node that is there. */
export interface KnownNode {
  readonly status: 'known';
  readonly name: string;
  readonly labels: Labels;
  readonly slots: number;
  readonly drained: boolean;
  readonly disabled: boolean;
  readonly enrolment?: NodeEnrolment;
}

export type NodeState = { readonly status: 'absent' } | KnownNode | { readonly status: 'removed'; readonly name: string };

export const initialNode: NodeState = { status: 'absent' };

const evolveKnown = (state: KnownNode, event: Exclude<NodeEvent, { type: 'NodeAdded' }>): NodeState => {
  switch (event.type) {
    case 'NodeEnrolled':
      return { ...state, enrolment: { publicKey: event.data.publicKey, recipient: event.data.recipient } };
    case 'NodeKeyReplaced':
      return state.enrolment ? { ...state, enrolment: { ...state.enrolment, publicKey: event.data.publicKey } } : state;
    case 'NodeChanged':
      return { ...state, ...event.data };
    case 'NodeDrained':
      return { ...state, drained: true };
    case 'NodeResumed':
      return { ...state, drained: false };
    case 'NodeDisabled':
      return { ...state, disabled: true };
    case 'NodeEnabled':
      return { ...state, disabled: false };
    case 'NodeRemoved':
      return { status: 'removed', name: event.data.name };
    default:
      return unreachable(event, 'node event');
  }
};

export const evolveNode = (state: NodeState, event: NodeEvent): NodeState => {
  if (event.type === 'NodeAdded') return { status: 'known', drained: false, disabled: false, ...event.data };
  return state.status === 'known' ? evolveKnown(state, event) : state;
};
