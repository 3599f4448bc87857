import { expect, it } from 'vitest';
import { FakeClock } from '#kernel';
import { patientCalls } from './patient-calls.ts';

const hanging = () => Promise.withResolvers<string>();
const late = { code: 'ETIMEDOUT' };

it('gives up on a call that hangs, and the next ones go on beside it', async () => {
  const clock = new FakeClock();
  const call = patientCalls(clock);
  const stuck = hanging();
  const first = call(() => stuck.promise, clock.monotonic() + 500);
  first.catch(() => undefined);
  await clock.advance(500);
  await expect(first).rejects.toMatchObject(late);
  expect(await call(async () => 'done', clock.monotonic() + 500)).toBe('done');
});

it('never holds more than two calls at once: with two that hang nothing more is begun until one returns', async () => {
  const clock = new FakeClock();
  const call = patientCalls(clock);
  const stuck = [hanging(), hanging()];
  const given = stuck.map(({ promise }) => call(() => promise, clock.monotonic() + 100));
  for (const one of given) one.catch(() => undefined);
  let begun = 0;
  const work = async () => `${++begun}`;
  const third = call(work, clock.monotonic() + 100);
  third.catch(() => undefined);
  await clock.advance(100);
  for (const one of [...given, third]) await expect(one).rejects.toMatchObject(late);
  expect(begun).toBe(0);
  const fourth = call(work, clock.monotonic() + 100);
  stuck[0]?.resolve('back');
  expect(await fourth).toBe('1');
  stuck[1]?.resolve('back');
  expect(await Promise.all([call(work, clock.monotonic() + 1), call(work, clock.monotonic() + 1)])).toEqual(['2', '3']);
});
