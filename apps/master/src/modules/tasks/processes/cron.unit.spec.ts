import { describe, expect, it } from 'vitest';
import { instantsAfter, scheduleFault } from './cron.ts';

const next = (cron: string, timeZone: string, after: string, count = 1): string[] =>
  instantsAfter({ cron, timeZone }, Date.parse(after), { count, untilMs: Number.MAX_SAFE_INTEGER }).map((ms) => new Date(ms).toISOString());

describe('a schedule', () => {
  it('is read in its own time zone, summer and winter', () => {
    expect(next('0 3 * * *', 'Europe/Berlin', '2026-01-10T12:00:00Z')).toEqual(['2026-01-11T02:00:00.000Z']);
    expect(next('0 3 * * *', 'Europe/Berlin', '2026-07-10T12:00:00Z')).toEqual(['2026-07-11T01:00:00.000Z']);
  });
  it('gives the same instants whenever it is asked', () => {
    const all = next('*/15 * * * *', 'UTC', '2026-01-01T00:00:00Z', 4);
    expect(all).toEqual(['2026-01-01T00:15:00.000Z', '2026-01-01T00:30:00.000Z', '2026-01-01T00:45:00.000Z', '2026-01-01T01:00:00.000Z']);
    expect(next('*/15 * * * *', 'UTC', '2026-01-01T00:29:59.999Z')).toEqual([all[1]]);
    expect(next('*/15 * * * *', 'UTC', all[1]!)).toEqual([all[2]]);
  });
  it('happens once a night when clocks go forward or back', () => {
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toHaveLength(2);
    const autumn = next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2).map((text) => text.slice(0, 10));
    expect(autumn).toEqual(['2026-10-25', '2026-10-26']);
  });
  it('stops at the given end', () => {
    expect(instantsAfter({ cron: '* * * * *', timeZone: 'UTC' }, 0, { count: 10, untilMs: 120_000 })).toEqual([60_000, 120_000]);
  });
  it('that can never happen is refused, and one that was defined before has no instants', () => {
    expect(scheduleFault('0 3 31 2 *', 'UTC')).toMatchObject({ code: 'schedule-invalid', detail: '"0 3 31 2 *" never happens; name a day that its months have' });
    expect(next('0 3 31 2 *', 'UTC', '2026-01-01T00:00:00Z')).toEqual([]);
    expect(scheduleFault('0 3 29 2 *', 'UTC')).toBeUndefined();
    expect(next('0 3 29 2 *', 'UTC', '2026-01-01T00:00:00Z')).toEqual(['2028-02-29T03:00:00.000Z']);
  });
  it('says what is wrong with an expression or a time zone', () => {
    expect(scheduleFault('nonsense', 'UTC')).toMatchObject({ code: 'schedule-invalid' });
    expect(scheduleFault('0 3 * * *', 'Mars/Olympus')).toMatchObject({ code: 'schedule-invalid' });
    expect(scheduleFault('0 3 * * *', 'Asia/Shanghai')).toBeUndefined();
  });
});
