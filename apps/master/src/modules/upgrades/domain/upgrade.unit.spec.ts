import { describe, expect, it } from 'vitest';
import { type UpgradeCommand, upgradeDecider } from './upgrade.decide.ts';
import type { UpgradeEvent } from './upgrade.events.ts';

const { decide, evolve, initialState } = upgradeDecider;
const when = (command: UpgradeCommand, ...events: UpgradeEvent[]) => {
  const decided = decide(command, events.reduce(evolve, initialState));
  return decided.ok ? decided.value : decided.error;
};
const data = { upgrade: 'upgrade_1', version: '0.2.0', sha256: 'a'.repeat(64), size: 1, from: '0.1.0' };
const ordered: UpgradeEvent = { type: 'NodeUpgradeOrdered', data };
const hear = (version: string, report?: { id: string; stage: 'fetching' | 'trying' | 'confirmed' | 'failed'; code?: string; detail?: string }): UpgradeCommand =>
  ({ type: 'HearAgent', version, ...(report ? { report } : {}) });

describe('an order to upgrade', () => {
  it('is given once, and another one takes its place', () => {
    expect(when({ type: 'OrderUpgrade', order: data })).toEqual([ordered]);
    expect(when({ type: 'OrderUpgrade', order: { ...data, upgrade: 'upgrade_2' } }, ordered)).toEqual([]);
    expect(when({ type: 'OrderUpgrade', order: { ...data, upgrade: 'upgrade_2', version: '0.3.0' } }, ordered)).toHaveLength(1);
  });
  it('is done when the agent says that the new version is confirmed, not while it tries', () => {
    expect(when(hear('0.2.0', { id: 'upgrade_1', stage: 'trying' }), ordered)).toEqual([]);
    expect(when(hear('0.2.0', { id: 'upgrade_1', stage: 'confirmed' }), ordered)).toEqual([{ type: 'NodeUpgraded', data: { upgrade: 'upgrade_1', version: '0.2.0', from: '0.1.0' } }]);
    expect(when(hear('0.1.0', { id: 'upgrade_1', stage: 'confirmed' }), ordered)).toEqual([]);
  });
  it('is done when the version came by another way', () => {
    expect(when(hear('0.2.0'), ordered)).toMatchObject([{ type: 'NodeUpgraded' }]);
  });
  it('has failed when the agent says so about this order and no other', () => {
    const failed = { stage: 'failed', code: 'upgrade-not-online', detail: 'It did not come online' } as const;
    expect(when(hear('0.1.0', { id: 'upgrade_0', ...failed }), ordered)).toEqual([]);
    expect(when(hear('0.1.0', { id: 'upgrade_1', ...failed }), ordered)).toMatchObject([{ type: 'NodeUpgradeFailed', data: { code: 'upgrade-not-online', version: '0.2.0' } }]);
  });
  it('ends once', () => {
    const done: UpgradeEvent = { type: 'NodeUpgraded', data: { upgrade: 'upgrade_1', version: '0.2.0' } };
    expect(when(hear('0.2.0', { id: 'upgrade_1', stage: 'confirmed' }), ordered, done)).toEqual([]);
    expect(when(hear('0.2.0'))).toEqual([]);
  });
});
