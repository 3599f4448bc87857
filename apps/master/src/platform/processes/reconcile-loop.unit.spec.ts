import { describe, expect, it, vi } from 'vitest';
import { FakeClock, silentLogger } from '#kernel';
import { ReconcileLoop } from './reconcile-loop.ts';

const settled = (check: () => void): Promise<void> => vi.waitFor(check, { interval: 1 });

describe('a duty', () => {
  it('is repeated on time, and goes on after a pass that failed', async () => {
    const clock = new FakeClock();
    let passes = 0;
    const loop = new ReconcileLoop({ name: 'x', everyMs: 1000, pass: async () => { if (++passes === 2) throw new Error('down'); } }, clock, silentLogger);
    loop.start();
    for (const expected of [1, 2, 3]) {
      await settled(() => { expect([passes, clock.sleeping]).toEqual([expected, 1]); });
      await clock.advance(1000);
    }
    await loop.stop();
  });

  it('begins at once when it is woken, also when that happens during a pass', async () => {
    const clock = new FakeClock();
    let passes = 0;
    let release: () => void = () => undefined;
    const loop = new ReconcileLoop({ name: 'x', everyMs: 1000, pass: () => { passes += 1; return new Promise((resolve) => { release = resolve; }); } }, clock, silentLogger);
    loop.start();
    await settled(() => { expect(passes).toBe(1); });
    loop.wake();
    release();
    await settled(() => { expect(passes).toBe(2); });
    release();
    await settled(() => { expect(clock.sleeping).toBe(1); });
    loop.wake();
    await settled(() => { expect(passes).toBe(3); });
    release();
    await loop.stop();
    expect(passes).toBe(3);
  });

  it('rests between two passes however often it is woken, and misses no wake', async () => {
    const clock = new FakeClock();
    let passes = 0;
    const loop = new ReconcileLoop({ name: 'x', everyMs: 1000, restMs: 100, pass: async () => { passes += 1; } }, clock, silentLogger);
    loop.start();
    await settled(() => { expect([passes, clock.sleeping]).toEqual([1, 1]); });
    await clock.advance(500);
    loop.wake();
    await settled(() => { expect([passes, clock.sleeping]).toEqual([2, 1]); });
    loop.wake();
    await settled(() => { expect([passes, clock.sleeping]).toEqual([2, 1]); });
    await clock.advance(100);
    await settled(() => { expect(passes).toBe(3); });
    await loop.stop();
  });
});
