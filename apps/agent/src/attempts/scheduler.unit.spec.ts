import { describe, expect, it } from 'vitest';
import { silentLogger } from '#kernel';
import type { AttemptControl } from './attempt-control.ts';
import { type AttemptKey, type EndReason, keyOf } from './attempt.state.ts';
import { Scheduler } from './scheduler.ts';

interface Started {
  readonly key: AttemptKey;
  readonly control: AttemptControl;
  finish(): Promise<void>;
}

const turns = () => new Promise((resolve) => setImmediate(resolve));
const key = (run: string, attempt = 1): AttemptKey => ({ run, attempt });

/** Work that goes on until the test finishes it; `obedient` work finishes by itself when it is ended. */
const bench = (slots: number, obedient = false) => {
  const started: Started[] = [];
  const scheduler = new Scheduler((of, control) => new Promise<void>((resolve) => {
    started.push({ key: of, control, finish: async () => { resolve(); await turns(); } });
    if (obedient && control.signal.aborted) resolve();
    if (obedient) control.signal.addEventListener('abort', () => resolve());
  }), slots, silentLogger);
  const names = () => started.map((each) => keyOf(each.key));
  return { scheduler, started, names };
};

describe('the scheduler', () => {
  it('works on as many attempts as there are slots, in order', async () => {
    const { scheduler, started, names } = bench(2);
    for (const run of ['a', 'b', 'c', 'd']) scheduler.offer(key(run));
    await turns();
    expect(names()).toEqual(['a.1', 'b.1']);
    expect(scheduler.running).toBe(2);
    await started[0]!.finish();
    expect(names()).toEqual(['a.1', 'b.1', 'c.1']);
    scheduler.resize(3);
    await turns();
    expect(names()).toEqual(['a.1', 'b.1', 'c.1', 'd.1']);
  });

  it('an attempt offered twice is worked on once', async () => {
    const { scheduler, names } = bench(4);
    for (let i = 0; i < 1000; i++) scheduler.offer(key('a'));
    await turns();
    expect(names()).toEqual(['a.1']);
  });

  it('ending a waiting attempt does not wait for a slot and takes none', async () => {
    const { scheduler, started, names } = bench(1);
    scheduler.offer(key('a'));
    scheduler.offer(key('b'));
    void scheduler.end(key('b'), 'cancelled');
    await turns();
    expect(names()).toEqual(['a.1', 'b.1']);
    expect(started[1]!.control.reason).toBe('cancelled');
    expect(scheduler.running).toBe(1);
  });

  it('a higher attempt of a run starts only when the lower one has ended, even with free slots', async () => {
    const { scheduler, started, names } = bench(3);
    scheduler.offer(key('a', 1));
    await turns();
    const ended = scheduler.end(key('a', 1), 'superseded');
    scheduler.offer(key('a', 2));
    expect(names()).toEqual(['a.1']);
    await started[0]!.finish();
    await ended;
    expect(names()).toEqual(['a.1', 'a.2']);
  });

  it('ending resolves only when nothing of the attempt runs any more', async () => {
    const { scheduler, started } = bench(1);
    scheduler.offer(key('a'));
    await turns();
    let over = false;
    const ended = scheduler.end(key('a'), 'fenced').then(() => { over = true; });
    await turns();
    expect([started[0]!.control.hardSignal.aborted, over]).toEqual([true, false]);
    await started[0]!.finish();
    await ended;
    expect(over).toBe(true);
  });

  it('draining ends what runs for the next process, starts nothing and takes nothing more', async () => {
    const { scheduler, started, names } = bench(1, true);
    scheduler.offer(key('a'));
    scheduler.offer(key('b'));
    await turns();
    await scheduler.drain();
    scheduler.offer(key('c'));
    expect(names()).toEqual(['a.1']);
    expect(started[0]!.control.reason).toBe('shutdown');
  });

  it('ten thousand waiting attempts cost no noticeable time', async () => {
    const { scheduler, started } = bench(1);
    const began = performance.now();
    for (let i = 0; i < 10_000; i++) scheduler.offer(key(`r${i}`));
    await turns();
    for (let i = 0; i < 20; i++) await started[i]!.finish();
    expect(started).toHaveLength(21);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('work that throws frees its slot', async () => {
    let count = 0;
    const scheduler = new Scheduler(() => { count += 1; return Promise.reject(new Error('broken')); }, 1, silentLogger);
    scheduler.offer(key('a'));
    scheduler.offer(key('b'));
    await turns();
    await turns();
    expect([count, scheduler.running]).toEqual([2, 0]);
  });

  it.each<[EndReason, boolean]>([['cancelled', false], ['timed-out', false], ['fenced', true], ['superseded', true], ['shutdown', true]])(
    'ended as %s: nothing may be said any more: %s', async (reason, hard) => {
      const { scheduler, started } = bench(1, true);
      scheduler.offer(key('a'));
      await turns();
      await scheduler.end(key('a'), reason);
      expect(started[0]!.control.hardSignal.aborted).toBe(hard);
    });
});
