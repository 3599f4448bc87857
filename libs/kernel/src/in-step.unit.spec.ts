import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { inStep } from './in-step.ts';

describe('those who send on one connection', () => {
  it('wait for nothing when they come alone', async () => {
    const [clock, connection] = [new FakeClock(), {}];
    await inStep(connection, clock);
    await clock.advance(2);
    await inStep(connection, clock);
  });

  it('go on together when they come shortly one after the other, and do not wait for another connection', async () => {
    const [clock, connection] = [new FakeClock(), {}];
    await inStep(connection, clock);
    const gone: string[] = [];
    const both = Promise.all(['a', 'b'].map((name) => inStep(connection, clock).then(() => gone.push(name))));
    await inStep({}, clock);
    expect(gone).toEqual([]);
    await clock.advance(2);
    await both;
    expect(gone).toEqual(['a', 'b']);
  });
});
