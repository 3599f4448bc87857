import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, fault } from '#kernel';
import { waitUntil } from '#testing';
import { runId, scratch, succeeded, workbench } from '../testing.ts';

let clock: FakeClock;
let room: ReturnType<typeof scratch>;
let bench: ReturnType<typeof workbench>;
beforeEach(() => {
  clock = new FakeClock();
  room = scratch();
  bench = workbench(room.dir, { clock });
});
afterEach(() => {
  bench.database.close();
  room.remove();
});

const add = (run: number, attempt = 1): void => bench.outbox.add(runId(run), { protocol: 1, attempt, claim: `c${attempt}`, ...succeeded });
const published = () => [...bench.reports.reports.values()].map(({ run, attempt }) => `${Number(run.slice(4))}.${attempt}`);
const away = () => fault('unavailable', 'report-not-sent', 'The bus is away');

describe('the outbox', () => {
  it('keeps the order within a run, and one run never waits for another', async () => {
    for (const [run, attempt] of [[1, 1], [1, 2], [2, 1], [1, 3]] as const) add(run, attempt);
    bench.reports.trouble = ({ run }) => (run === runId(1) ? away() : undefined);
    expect(await bench.sender.pass()).toBe(false);
    expect(published()).toEqual(['2.1']);
    bench.reports.trouble = undefined;
    expect(await bench.sender.pass()).toBe(true);
    expect(published()).toEqual(['2.1', '1.1', '1.2', '1.3']);
  });

  it('survives minutes without the bus and a restart of the agent', async () => {
    add(1);
    bench.reports.trouble = away;
    const stopping = new AbortController();
    const loop = bench.sender.run(stopping.signal);
    for (let minutes = 0; minutes < 10; minutes += 0.5) {
      await waitUntil(() => clock.sleeping > 0);
      await clock.advance(30_000);
    }
    expect(bench.reports.attempts).toBeGreaterThan(10);
    stopping.abort(new Error('end'));
    await loop;
    bench.database.close();
    bench = workbench(room.dir, { clock });
    expect(await bench.sender.pass()).toBe(true);
    expect([...bench.reports.reports.keys()]).toEqual([`${runId(1)}.1.c1.report`]);
  });

  it('puts a report aside that is refused for good, and sends those behind it', async () => {
    add(1, 1);
    add(1, 2);
    bench.reports.trouble = ({ attempt }) => (attempt === 1 ? fault('refused', 'report-refused', 'Too large') : undefined);
    expect(await bench.sender.pass()).toBe(true);
    expect(published()).toEqual(['1.2']);
    expect(bench.outbox.refused()).toBe(1);
  });

  it('sends a report again under the same message id when a master asks for it', async () => {
    add(1);
    await bench.sender.pass();
    expect(bench.outbox.waitingOrSentSince(clock.now() - 1000, 10)).toEqual([{ run: runId(1), attempt: 1, claim: 'c1' }]);
    bench.reports.reports.clear();
    bench.outbox.sendAgain({ run: runId(1), attempt: 1 });
    await bench.sender.pass();
    expect([...bench.reports.reports.keys()]).toEqual([`${runId(1)}.1.c1.report`]);
  });

  it('holds one report a claim, whatever is added', () => {
    add(1);
    add(1);
    expect(bench.outbox.heads()).toHaveLength(1);
  });
});

describe('the state directory', () => {
  it('cannot be used by two agents at once', () => {
    expect(() => workbench(room.dir)).toThrow('state-in-use');
  });
});
