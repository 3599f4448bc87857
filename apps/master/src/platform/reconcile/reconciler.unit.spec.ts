import { describe, expect, it } from 'vitest';
import { FakeClock, silentLogger } from '#kernel';
import { Reconciler } from './reconciler.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a reconciler', () => {
  it('passes at once, then every few seconds, then no more', async () => {
    const clock = new FakeClock();
    let passes = 0;
    const reconciler = new Reconciler({ name: 'x', everyMs: 1000, clock, logger: silentLogger, pass: async () => { passes++; } });
    reconciler.start();
    await turn();
    expect(passes).toBe(1);
    await clock.advance(3000);
    await turn();
    expect(passes).toBe(4);
    await reconciler.stop();
    await clock.advance(3000);
    expect(passes).toBe(4);
  });
  it('woken during a pass begins another right after it, one for all wakes', async () => {
    const clock = new FakeClock();
    const gates: (() => void)[] = [];
    const reconciler = new Reconciler({
      name: 'x', everyMs: 1000, clock, logger: silentLogger, pass: () => new Promise<void>((resolve) => gates.push(resolve)),
    });
    reconciler.start();
    await turn();
    reconciler.wake();
    reconciler.wake();
    expect(gates).toHaveLength(1);
    gates[0]!();
    await turn();
    expect(gates).toHaveLength(2);
    const ended = reconciler.stop();
    gates[1]!();
    await ended;
    expect(gates).toHaveLength(2);
  });
  it('goes on after a pass that failed', async () => {
    const clock = new FakeClock();
    let passes = 0;
    const reconciler = new Reconciler({ name: 'x', everyMs: 1000, clock, logger: silentLogger, pass: async () => { passes++; throw new Error('down'); } });
    reconciler.start();
    await turn();
    await clock.advance(1000);
    await turn();
    expect(passes).toBe(2);
    await reconciler.stop();
  });
});
