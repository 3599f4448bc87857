import { describe, expect, it } from 'vitest';
import { fault } from '#kernel';
import { isPoison, redeliveryDelay } from './settle.ts';

describe('what becomes of a failed message', () => {
  it.each([
    [fault('validation', 'x', 'x'), true], [fault('forbidden', 'x', 'x'), true], [fault('refused', 'x', 'x'), true], [fault('not-found', 'x', 'x'), true],
    [fault('unavailable', 'x', 'x'), false], [fault('conflict', 'x', 'x'), false], [fault('internal', 'x', 'x'), false],
    [fault('refused', 'x', 'x', { retryable: true }), false], [new TypeError('a bug'), false], ['text', false],
  ])('%s: poison %s', (error, poison) => expect(isPoison(error)).toBe(poison));

  it('comes again later each time, up to the limit', () => {
    const between = (delay: number, low: number, high: number): boolean => delay >= low && delay <= high;
    expect(between(redeliveryDelay(1, 60_000), 200, 300)).toBe(true);
    expect(between(redeliveryDelay(5, 60_000), 3200, 4800)).toBe(true);
    expect(between(redeliveryDelay(1_000_000, 60_000), 48_000, 72_000)).toBe(true);
  });
});
