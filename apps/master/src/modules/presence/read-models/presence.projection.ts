import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import type { PresenceEvent } from '../domain/presence.events.ts';
import { PresenceRow } from './presence.entity.ts';

const blank = (node: string, since: Date): PresenceRow => ({
  node, status: 'offline', since, instance: null, version: null, reason: null, duplicate: null, duplicateHostname: null,
});

/** One row a node that has ever connected. */
export const presenceModel = readModel<PresenceRow, PresenceEvent>({
  name: 'presence',
  entity: PresenceRow,
  handles: ['NodeConnected', 'NodeSuspected', 'NodeDisconnected', 'NodeDuplicated'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, { event, context }, key) => {
    const since = new Date(parseTime(context.time));
    const before = row ?? blank(key, since);
    switch (event.type) {
      case 'NodeConnected': {
        const { instance, version } = event.data;
        const over = before.duplicate === instance ? { duplicate: null, duplicateHostname: null } : {};
        return { ...before, ...over, status: 'online', since: before.status === 'online' ? before.since : since, instance, version, reason: null };
      }
      case 'NodeSuspected':
        return { ...before, status: 'suspect', since, reason: event.data.reason };
      case 'NodeDisconnected':
        return { ...before, status: 'offline', since, reason: event.data.reason, duplicate: null, duplicateHostname: null };
      case 'NodeDuplicated':
        return { ...before, duplicate: event.data.other, duplicateHostname: event.data.otherHostname };
      default:
        return unreachable(event, 'presence event');
    }
  },
});
