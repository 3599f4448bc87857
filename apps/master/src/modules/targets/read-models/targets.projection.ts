import type { RecordedEvent } from '#event-store';
import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import type { TargetEvent } from '../domain/target.events.ts';
import { TargetRow } from './target.entity.ts';

const changed = (row: TargetRow, { event, context }: RecordedEvent<TargetEvent>): TargetRow | undefined => {
  switch (event.type) {
    case 'TargetAdded':
      return row;
    case 'TargetChanged': {
      const { name, settings, secret } = event.data;
      const untested = settings || secret ? { test: null, testedAt: null } : {};
      return { ...row, ...untested, name: name ?? row.name, settings: settings ?? row.settings, secret: secret ?? row.secret };
    }
    case 'TargetTested':
      return { ...row, test: event.data, testedAt: new Date(parseTime(context.time)) };
    case 'TargetRemoved':
      return undefined;
    default:
      return unreachable(event, 'target event');
  }
};

/** One row a target that is there. */
export const targetsModel = readModel<TargetRow, TargetEvent>({
  name: 'targets',
  entity: TargetRow,
  handles: ['TargetAdded', 'TargetChanged', 'TargetTested', 'TargetRemoved'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, recorded, id) => {
    const { event, revision, context } = recorded;
    if (event.type === 'TargetAdded' && !row) {
      const { name, settings, secret } = event.data;
      const addedAt = new Date(parseTime(context.time));
      return { id, revision, name, kind: settings.kind, settings, secret: secret ?? null, addedAt, testedAt: null, test: null };
    }
    const next = row && changed(row, recorded);
    return next && { ...next, revision };
  },
});
