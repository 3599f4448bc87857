import { expect, it } from 'vitest';
import { FirstFailure } from './first-failure.ts';

it('a failure ends everything that waits and all that comes later, the first one counts, and nobody is remembered who is done', async () => {
  const failure = new FirstFailure();
  for (let i = 0; i < 1000; i++) expect(await failure.guard(Promise.resolve(i))).toBe(i);
  await expect(failure.guard(Promise.reject(new Error('own')))).rejects.toThrow('own');
  expect(failure.waiting).toBe(0);
  const waits = [failure.guard(new Promise(() => undefined)), failure.guard(new Promise(() => undefined))];
  expect(failure.waiting).toBe(2);
  failure.fail(new Error('first'));
  failure.fail(new Error('second'));
  for (const wait of [...waits, failure.guard(Promise.resolve(1))]) await expect(wait).rejects.toThrow('first');
  expect(failure.waiting).toBe(0);
});
