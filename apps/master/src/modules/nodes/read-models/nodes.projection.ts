import type { RecordedEvent } from '#event-store';
import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import type { NodeEvent } from '../domain/node.events.ts';
import { NodeRow } from './node.entity.ts';

const added = (id: string, { event, context }: RecordedEvent<Extract<NodeEvent, { type: 'NodeAdded' }>>): Omit<NodeRow, 'revision'> => ({
  id, ...event.data, drained: false, drainReason: null, disabled: false, disabledReason: null, addedAt: new Date(parseTime(context.time)),
  enrolledAt: null, publicKey: null, recipient: null, hostname: null, platform: null, arch: null, host: null,
});

const changed = (row: NodeRow, { event, context }: RecordedEvent<NodeEvent>): Omit<NodeRow, 'revision'> | undefined => {
  switch (event.type) {
    case 'NodeAdded':
      return row;
    case 'NodeEnrolled': {
      const { publicKey, recipient, host } = event.data;
      const { hostname, platform, arch } = host;
      return { ...row, publicKey, recipient, hostname, platform, arch, host, enrolledAt: new Date(parseTime(context.time)) };
    }
    case 'NodeKeyReplaced':
      return { ...row, publicKey: event.data.publicKey };
    case 'NodeChanged':
      return { ...row, ...event.data };
    case 'NodeDrained':
      return { ...row, drained: true, drainReason: event.data.reason };
    case 'NodeResumed':
      return { ...row, drained: false, drainReason: null };
    case 'NodeDisabled':
      return { ...row, disabled: true, disabledReason: event.data.reason };
    case 'NodeEnabled':
      return { ...row, disabled: false, disabledReason: null };
    case 'NodeRemoved':
      return undefined;
    default:
      return unreachable(event, 'node event');
  }
};

const isAdded = (event: RecordedEvent<NodeEvent>): event is RecordedEvent<Extract<NodeEvent, { type: 'NodeAdded' }>> =>
  event.event.type === 'NodeAdded';

/** One row a node that is there. */
export const nodesModel = readModel<NodeRow, NodeEvent>({
  name: 'nodes',
  entity: NodeRow,
  handles: ['NodeAdded', 'NodeEnrolled', 'NodeKeyReplaced', 'NodeChanged', 'NodeDrained', 'NodeResumed', 'NodeDisabled', 'NodeEnabled', 'NodeRemoved'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, event, key) => {
    const next = row ? changed(row, event) : isAdded(event) ? added(key, event) : undefined;
    return next && { ...next, revision: event.revision };
  },
});
