import type { Decider } from '#event-store';
import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { HostFacts, Labels, NodeEvent } from './node.events.ts';
import { type KnownNode, type NodeState, evolveNode, initialNode } from './node.state.ts';

/** What can be ordered about a node. Uniqueness of its name is decided beside it, by the aggregate `name`. */
export type NodeCommand =
  | { readonly type: 'AddNode'; readonly name: string; readonly labels: Labels; readonly slots: number }
  | { readonly type: 'EnrolNode'; readonly publicKey: string; readonly recipient: string; readonly host: HostFacts }
  | { readonly type: 'ReplaceKey'; readonly publicKey: string }
  | { readonly type: 'ChangeNode'; readonly name?: string; readonly labels?: Labels; readonly slots?: number }
  | { readonly type: 'DrainNode'; readonly reason: string }
  | { readonly type: 'ResumeNode' }
  | { readonly type: 'DisableNode'; readonly reason: string }
  | { readonly type: 'EnableNode' }
  | { readonly type: 'RemoveNode' };

type Decision = Result<readonly NodeEvent[], Refusal>;
type OnKnown = Exclude<NodeCommand, { type: 'AddNode' }>;

const sameLabels = (a: Labels, b: Labels): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);

/** Only what differs, so that saving an unchanged form is no event. */
const change = ({ name, labels, slots }: Extract<NodeCommand, { type: 'ChangeNode' }>, state: KnownNode): Decision => {
  const data = {
    ...(name !== undefined && name !== state.name ? { name } : {}),
    ...(labels !== undefined && !sameLabels(labels, state.labels) ? { labels } : {}),
    ...(slots !== undefined && slots !== state.slots ? { slots } : {}),
  };
  return ok(Object.keys(data).length === 0 ? [] : [{ type: 'NodeChanged', data }]);
};

const enrol = (command: Extract<NodeCommand, { type: 'EnrolNode' }>, state: KnownNode): Decision => {
  const { publicKey, recipient, host } = command;
  const same = state.enrolment?.publicKey === publicKey && state.enrolment.recipient === recipient;
  return ok(same ? [] : [{ type: 'NodeEnrolled', data: { publicKey, recipient, host } }]);
};

const onKnown = (command: OnKnown, state: KnownNode): Decision => {
  switch (command.type) {
    case 'EnrolNode':
      return enrol(command, state);
    case 'ReplaceKey':
      return ok(state.enrolment && state.enrolment.publicKey !== command.publicKey ? [{ type: 'NodeKeyReplaced', data: { publicKey: command.publicKey } }] : []);
    case 'ChangeNode':
      return change(command, state);
    case 'DrainNode':
      return ok(state.drained ? [] : [{ type: 'NodeDrained', data: { reason: command.reason } }]);
    case 'ResumeNode':
      return ok(state.drained ? [{ type: 'NodeResumed', data: {} }] : []);
    case 'DisableNode':
      return ok(state.disabled ? [] : [{ type: 'NodeDisabled', data: { reason: command.reason } }]);
    case 'EnableNode':
      return ok(state.disabled ? [{ type: 'NodeEnabled', data: {} }] : []);
    case 'RemoveNode':
      return ok([{ type: 'NodeRemoved', data: { name: state.name } }]);
    default:
      return unreachable(command, 'node command');
  }
};

/** Decides about one node. Saying what is so already is no event and no error. */
export const nodeDecider: Decider<NodeState, NodeCommand, NodeEvent> = {
  aggregate: 'node',
  initialState: initialNode,
  evolve: evolveNode,
  decide: (command, state) => {
    if (command.type === 'AddNode') {
      const { name, labels, slots } = command;
      return ok(state.status === 'absent' ? [{ type: 'NodeAdded', data: { name, labels, slots } }] : []);
    }
    if (state.status === 'known') return onKnown(command, state);
    if (state.status === 'removed' && command.type === 'RemoveNode') return ok([]);
    return err(refuse('not-found', 'node-not-found', 'There is no such node; list the nodes to see which there are'));
  },
};
