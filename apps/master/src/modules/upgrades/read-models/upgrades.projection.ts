import { parseTime } from '#kernel';
import { readModel } from '#projections';
import type { UpgradeEvent } from '../domain/upgrade.events.ts';
import { UpgradeRow } from './upgrade.entity.ts';

const at = (time: string): Date => new Date(parseTime(time));

/** One row a node that was ever ordered to upgrade: its last order. */
export const upgradesModel = readModel<UpgradeRow, UpgradeEvent>({
  name: 'node-upgrades',
  entity: UpgradeRow,
  handles: ['NodeUpgradeOrdered', 'NodeUpgraded', 'NodeUpgradeFailed'],
  keys: (event) => [event.aggregate.id],
  evolve: (row, { event, context }, node) => {
    if (event.type === 'NodeUpgradeOrdered') {
      const { upgrade, version, sha256, size, from } = event.data;
      return { node, id: upgrade, status: 'ordered', version, sha256, size, from: from ?? null, orderedAt: at(context.time), endedAt: null, code: null, detail: null };
    }
    const endedAt = at(context.time);
    if (event.type === 'NodeUpgraded') return row && { ...row, status: 'done', endedAt };
    return row && { ...row, status: 'failed', endedAt, code: event.data.code, detail: event.data.detail };
  },
});
