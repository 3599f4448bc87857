import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { systemClock } from './clock.ts';

it('a sleep that is called off rejects with the reason that was given, also when it was given before', async () => {
  const reason = new Error('called off');
  const off = new AbortController();
  const sleeping = systemClock.sleep(600_000, off.signal);
  off.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(systemClock.sleep(0, off.signal)).rejects.toBe(reason);
});

it('a sleep that is over leaves nothing at its signal', async () => {
  const { signal } = new AbortController();
  await systemClock.sleep(1, signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
