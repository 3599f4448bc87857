import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expired, type RetainedSnapshot } from './retention.ts';
import { snapshotDecider, type SnapshotCommand, type SnapshotState } from './snapshot.ts';

const live: SnapshotState = { held: false, forgotten: false };
const forget: SnapshotCommand = { type: 'ForgetSnapshot', run: 'run_1', reason: 'retention' };
const decide = (state: SnapshotState, command: SnapshotCommand) => {
  const decided = snapshotDecider.decide(command, state);
  return decided.ok ? decided.value.map((event) => event.type) : decided.error.code;
};

describe('a snapshot', () => {
  it('that is held is not forgotten', () => {
    expect(decide({ ...live, held: true }, forget)).toBe('snapshot-held');
    expect(decide(live, forget)).toEqual(['SnapshotForgotten']);
  });
  it('that is forgotten cannot be held, released or verified, and is not forgotten twice', () => {
    const gone = { ...live, forgotten: true };
    expect(decide(gone, { type: 'HoldSnapshot', reason: 'x' })).toBe('snapshot-forgotten');
    expect(decide(gone, forget)).toEqual([]);
  });
  it('is held and released once each', () => {
    expect(decide(live, { type: 'HoldSnapshot', reason: 'x' })).toEqual(['SnapshotHeld']);
    expect(decide({ ...live, held: true }, { type: 'HoldSnapshot', reason: 'x' })).toEqual([]);
    expect(decide(live, { type: 'ReleaseSnapshot' })).toEqual([]);
  });
});

const at = (time: string, held = false): RetainedSnapshot => ({ id: `snap_${time}`, time, held });
const days = ['2026-01-01T01:00:00Z', '2026-01-01T13:00:00Z', '2026-01-02T01:00:00Z', '2026-01-05T01:00:00Z', '2026-02-01T01:00:00Z'].map((time) => at(time));
const gone = (rules: Parameters<typeof expired>[1], list = days, now = '2026-02-01T02:00:00Z') => expired(list, rules, now).map((item) => item.time);

describe('retention', () => {
  it('keeps everything when there is no rule', () => {
    expect(gone({})).toEqual([]);
  });
  it('keeps the last ones', () => {
    expect(gone({ keepLast: 2 })).toEqual(days.slice(0, 3).map((item) => item.time));
  });
  it('keeps the newest of each day, and counts days that have one', () => {
    expect(gone({ keepDaily: 3 })).toEqual(['2026-01-01T01:00:00Z', '2026-01-01T13:00:00Z']);
    expect(gone({ keepDaily: 4 })).toEqual(['2026-01-01T01:00:00Z']);
  });
  it('begins weeks on Monday', () => {
    expect(gone({ keepWeekly: 2 })).toEqual(['2026-01-01T01:00:00Z', '2026-01-01T13:00:00Z', '2026-01-02T01:00:00Z']);
  });
  it('keeps what is younger than so many days', () => {
    expect(gone({ keepWithinDays: 28 })).toEqual(['2026-01-01T01:00:00Z', '2026-01-01T13:00:00Z', '2026-01-02T01:00:00Z']);
  });
  it('never gives up the newest or a held one', () => {
    expect(gone({ keepWithinDays: 1 }, [at('2020-01-01T00:00:00Z', true), at('2021-01-01T00:00:00Z'), at('2022-01-01T00:00:00Z')])).toEqual(['2021-01-01T00:00:00Z']);
  });
  it('keeps no less when a rule is added', () => {
    const rule = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
    const list = fc.uniqueArray(fc.integer({ min: 0, max: 20_000 }), { maxLength: 40 })
      .map((hours) => hours.map((hour) => at(new Date(Date.UTC(2024, 0, 1) + hour * 3_600_000).toISOString())));
    fc.assert(fc.property(list, rule, rule, rule, (snapshots, keepLast = 1, keepDaily, keepMonthly) => {
      const fewer = gone({ keepLast }, snapshots);
      const more = gone({ keepLast, ...(keepDaily ? { keepDaily } : {}), ...(keepMonthly ? { keepMonthly } : {}) }, snapshots);
      expect(fewer).toEqual(expect.arrayContaining(more));
    }));
  });
});
