import { describe, expect, it } from 'vitest';
import type { RunLogBatch } from '#contracts';
import { FakeClock } from '#kernel';
import { RunLog, runLogLines } from './run-log.ts';

const bench = () => {
  const clock = new FakeClock();
  const batches: RunLogBatch[] = [];
  const log = new RunLog({ log: (_, batch) => batches.push(batch), heartbeat: () => undefined, progress: () => undefined }, clock, { run: 'run_1', attempt: 2 });
  return { clock, batches, log };
};
const numbersOf = (batches: RunLogBatch[]) => batches.flatMap(({ lines }) => lines.map(({ n }) => n));

describe('the log of a run', () => {
  it('goes out once a second, numbered from one', async () => {
    const { clock, batches, log } = bench();
    log.add('info', 'a');
    log.add('warn', 'b');
    expect(batches).toEqual([]);
    await clock.advance(1_000);
    log.add('info', 'c');
    await clock.advance(1_000);
    expect(batches.map(({ attempt, lines }) => [attempt, lines.map(({ n, level, text }) => `${n} ${level} ${text}`)]))
      .toEqual([[2, ['1 info a', '2 warn b']], [2, ['3 info c']]]);
  });

  it('goes out at once when there is much of it, and never in messages beyond the limit of the bus', () => {
    const { batches, log } = bench();
    for (let i = 0; i < 1_200; i++) log.add('info', 'x'.repeat(10_000));
    expect(batches.length).toBeGreaterThan(2);
    for (const batch of batches) expect(JSON.stringify(batch).length).toBeLessThan(1024 * 1024);
  });

  it('says at the end how many lines were too many', () => {
    const { batches, log } = bench();
    for (let i = 0; i < runLogLines + 7; i++) log.add('info', 'x');
    log.close();
    expect(numbersOf(batches)).toHaveLength(runLogLines + 1);
    expect(batches.at(-1)).toMatchObject({ dropped: 7 });
    expect(batches.at(-1)?.lines.at(-1)?.text).toContain('7 lines dropped');
  });

  it('sends the rest when it is closed, and nothing after', async () => {
    const { clock, batches, log } = bench();
    log.add('info', 'last');
    log.close();
    await clock.advance(10_000);
    expect(numbersOf(batches)).toEqual([1]);
  });

  it('shows no secret', () => {
    const { batches, log } = bench();
    const identity = 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ';
    log.add('error', `cannot open with ${identity}`);
    log.close();
    expect(JSON.stringify(batches)).not.toContain(identity);
  });
});
