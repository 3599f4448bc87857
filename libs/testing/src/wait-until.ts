import { setTimeout as delay } from 'node:timers/promises';

/**
 * Resolves with the first truthy value of `condition`, asked again and again for at most `ms` milliseconds (30 s by default, as a loaded
 * machine may need): at first often, then every 50 ms, after one second more and more seldom, after five every 250 ms, as asking slows
 * down what is waited for. An error of the condition counts as "not yet"; the last one is the cause when time is up.
 */
export const waitUntil = async <T>(condition: () => T | Promise<T>, ms = 30_000): Promise<NonNullable<Exclude<T, false>>> => {
  const start = performance.now();
  let last: unknown;
  for (let pause = 1; ; pause = Math.min(pause * 2, Math.max(50, Math.min((performance.now() - start) / 20, 250)))) {
    try {
      const value = await condition();
      if (value) return value as NonNullable<Exclude<T, false>>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() - start > ms) throw new Error(`Not so within ${ms} ms: ${condition.toString().slice(0, 200)}`, { cause: last });
    await delay(pause);
  }
};
