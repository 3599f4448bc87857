import { describe, expect, it } from 'vitest';
import { FakeClock } from '#kernel';
import { waitUntil } from '#testing';
import { BusGate } from './bus-gate.ts';

/** Something that ends when it is told to. */
const held = () => {
  let end: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => { end = resolve; });
  return { promise, end };
};

describe('a gate before the bus', () => {
  it('lets what is under way end before the change, and what comes meanwhile wait until after it, in order', async () => {
    const gate = new BusGate(new FakeClock());
    const seen: string[] = [];
    const [question, change] = [held(), held()];
    const asked = gate.pass(async () => { await question.promise; seen.push('answered'); });
    const changed = gate.during(async () => { seen.push('changing'); await change.promise; seen.push('changed'); });
    gate.say(() => seen.push('said'));
    const later = gate.pass(async () => { seen.push('asked later'); });
    expect(seen).toEqual([]);
    question.end();
    await waitUntil(() => seen.includes('changing'));
    gate.say(() => seen.push('said again'));
    change.end();
    await Promise.all([asked, changed, later]);
    gate.say(() => seen.push('said now'));
    expect(seen).toEqual(['answered', 'changing', 'changed', 'said', 'said again', 'asked later', 'said now']);
  });

  it('does not wait for ever for an answer that does not come, and opens again when a change fails', async () => {
    const clock = new FakeClock();
    const gate = new BusGate(clock);
    void gate.pass(() => held().promise);
    const changed = gate.during(() => Promise.reject(new Error('no bus')));
    changed.catch(() => undefined);
    await waitUntil(() => clock.sleeping === 1);
    await clock.advance(3_000);
    await expect(changed).rejects.toThrow('no bus');
    await expect(gate.pass(() => Promise.resolve('goes on'))).resolves.toBe('goes on');
  });
});
