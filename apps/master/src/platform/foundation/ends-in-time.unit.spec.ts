import { describe, expect, it } from 'vitest';
import { FakeClock, silentLogger } from '#kernel';
import { endsInTime } from './ends-in-time.ts';

describe('a part that is ended', () => {
  const errors: unknown[] = [];
  const logger = { ...silentLogger, error: (_: string, fields?: unknown) => void errors.push(fields) };

  it('is waited for, and its error is told', async () => {
    const clock = new FakeClock();
    await endsInTime('a', () => Promise.resolve(), { clock, logger });
    await expect(endsInTime('b', () => Promise.reject(new Error('no')), { clock, logger })).rejects.toThrow('no');
    expect(errors).toEqual([]);
  });

  it('is left behind, by name, when it does not end', async () => {
    const clock = new FakeClock();
    const waiting = endsInTime('c', () => new Promise(() => undefined), { clock, logger });
    await clock.advance(20_000);
    await waiting;
    expect(errors).toEqual([{ part: 'c' }]);
  });
});
