import { describe, expect, it } from 'vitest';
import { retain, type RetainedSnapshot, type RetentionPolicy } from './retention.ts';

const at = (...times: string[]): RetainedSnapshot[] => times.map((time) => ({ id: time, time: Date.parse(`${time}Z`) }));
const kept = (snapshots: RetainedSnapshot[], policy: RetentionPolicy): string[] => [...retain(snapshots, policy).keys()].sort();
const days = at('2026-01-01T10:00', '2026-01-01T22:00', '2026-01-02T03:00', '2026-01-04T12:00', '2026-01-05T00:30', '2026-01-05T00:45');

describe('retention', () => {
  it.each<[string, RetentionPolicy, string[]]>([
    ['nothing asked keeps everything', {}, days.map((one) => one.id)],
    ['last 0 keeps nothing', { last: 0 }, []],
    ['last 2', { last: 2 }, ['2026-01-05T00:30', '2026-01-05T00:45']],
    ['last more than there are', { last: 99 }, days.map((one) => one.id)],
    ['the newest of each of 2 hours', { hourly: 2 }, ['2026-01-04T12:00', '2026-01-05T00:45']],
    ['the newest of each of 3 days that have one', { daily: 3 }, ['2026-01-02T03:00', '2026-01-04T12:00', '2026-01-05T00:45']],
    ['weeks begin on Monday: 4 January 2026 is a Sunday', { weekly: 2 }, ['2026-01-04T12:00', '2026-01-05T00:45']],
    ['one month', { monthly: 5 }, ['2026-01-05T00:45']],
    ['everything within a day of the newest', { withinMs: 86_400_000 }, ['2026-01-04T12:00', '2026-01-05T00:30', '2026-01-05T00:45']],
    ['rules add up', { last: 1, monthly: 1, withinMs: 16 * 60_000 }, ['2026-01-05T00:30', '2026-01-05T00:45']],
  ])('%s', (_name, policy, expected) => {
    expect(kept(days, policy)).toEqual(expected);
  });

  it('the last days of a year may be in the first week of the next', () => {
    expect(kept(at('2024-12-29T12:00', '2024-12-30T12:00', '2025-01-05T12:00', '2025-01-06T12:00'), { weekly: 9 }))
      .toEqual(['2024-12-29T12:00', '2025-01-05T12:00', '2025-01-06T12:00']);
    expect(kept(at('2023-05-05T12:00', '2025-05-05T12:00', '2025-06-05T12:00'), { yearly: 2 })).toEqual(['2023-05-05T12:00', '2025-06-05T12:00']);
  });

  it('what is held stays whatever the rules', () => {
    const snapshots = days.map((one, i) => ({ ...one, held: i === 0 }));
    expect(kept(snapshots, { last: 1 })).toEqual(['2026-01-01T10:00', '2026-01-05T00:45']);
    expect(retain(snapshots, { last: 1 }).get('2026-01-01T10:00')).toEqual(['held']);
  });

  it('does not depend on the order it is given, and of two at one moment takes the same always', () => {
    const twins = [{ id: 'a', time: 1 }, { id: 'b', time: 1 }];
    expect(kept(twins, { last: 1 })).toEqual(kept([...twins].reverse(), { last: 1 }));
    expect(kept([...days].reverse(), { daily: 2, last: 1 })).toEqual(kept(days, { daily: 2, last: 1 }));
  });
});
