import { describe, expect, it } from 'vitest';
import { expired } from './expired.ts';

const at = (time: string, held = false) => ({ id: time, time: Date.parse(time), held });
const list = ['2026-01-01T01:00:00Z', '2026-01-01T13:00:00Z', '2026-01-02T01:00:00Z', '2026-02-01T01:00:00Z'].map((time) => at(time));

describe('what a task no longer keeps', () => {
  it('is nothing without a rule', () => {
    expect(expired(list, {})).toEqual([]);
  });
  it('is what no rule keeps, oldest first', () => {
    expect(expired(list, { keepDaily: 2 }).map(({ id }) => id)).toEqual(['2026-01-01T01:00:00Z', '2026-01-01T13:00:00Z']);
    expect(expired(list, { keepLast: 1, keepMonthly: 2 }).map(({ id }) => id)).toEqual(['2026-01-01T01:00:00Z', '2026-01-01T13:00:00Z']);
  });
  it('is never the newest or a held one', () => {
    expect(expired([at('2020-01-01T00:00:00Z', true), at('2021-01-01T00:00:00Z'), at('2022-01-01T00:00:00Z')], { keepWithinDays: 1 }).map(({ id }) => id))
      .toEqual(['2021-01-01T00:00:00Z']);
  });
});
