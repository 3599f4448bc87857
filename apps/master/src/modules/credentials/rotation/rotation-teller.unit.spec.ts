import { expect, it } from 'vitest';
import { tellingAt } from './rotation-teller.ts';

it('an agent that does not answer is told at growing intervals, each time under a number of its own', () => {
  expect([0, 14_999, 15_000, 44_999, 45_000, 105_000, 86_400_000].map(tellingAt)).toEqual([0, 0, 1, 1, 2, 3, 12]);
});

it('a master whose clock is behind tells what is the first telling for the others', () => {
  expect([-1, -15_000, -600_000].map(tellingAt)).toEqual([0, 0, 0]);
});
