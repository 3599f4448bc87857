import { expect, it } from 'vitest';
import { FakeClock, type Logger, fault, silentLogger } from '#kernel';
import { Wakeup } from '../attempts/wakeup.ts';
import { runPasses } from './passes.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const driven = (pass: () => Promise<void>) => {
  const [clock, wakeup, words, stop]: [FakeClock, Wakeup, string[], AbortController] = [new FakeClock(), new Wakeup(), [], new AbortController()];
  const logger: Logger = { ...silentLogger, debug: () => void words.push('debug'), warn: () => void words.push('warn') };
  const ended = runPasses({ pass, restMs: () => 60_000, wakeup, failure: 'It did not go', clock, logger }, stop.signal);
  const next = async (ms: number): Promise<void> => {
    while (clock.sleeping === 0) await settle();
    await clock.advance(ms);
    await settle();
  };
  return { next, clock, wakeup, words, stop: () => { stop.abort(); return ended; } };
};

it('what fails is tried again at growing intervals, and is told to people only when it goes on', async () => {
  let passes = 0;
  const { next, clock, words, stop } = driven(() => {
    passes++;
    return Promise.reject(fault('unavailable', 'away', 'The bus is away', { retryable: true }));
  });
  for (; passes < 7;) await next(250);
  await stop();
  // Half a second, doubled five times, less at most a third.
  expect(clock.monotonic()).toBeGreaterThan(20_000);
  expect(words).toEqual(['debug', 'debug', 'debug', 'debug', 'warn', 'warn', 'warn']);
});

it('what no repetition cures is told at once', async () => {
  const { next, words, stop } = driven(() => Promise.reject(new Error('broken')));
  await next(0);
  await stop();
  expect(words).toEqual(['warn']);
});

it('a rest ends when it is over, when the bell rings, and when it is all over', async () => {
  let passes = 0;
  const { next, wakeup, words, stop } = driven(async () => { passes++; });
  await next(59_000);
  expect(passes).toBe(1);
  await next(1_000);
  expect(passes).toBe(2);
  wakeup.signal();
  while (passes < 3) await settle();
  await stop();
  expect(words).toEqual([]);
});
